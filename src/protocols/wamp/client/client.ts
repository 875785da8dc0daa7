import { systemClock } from '../../../base/clock.js';
import type { Clock } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { RouterMessage } from './message.js';
import type { AnyApi, ApiType, ArgsOf, KwargsOf, ProcedureOf, ProgressOf, ResultOf, TopicOf } from './api.js';
import { withResolvers } from './async-queue.js';
import type { Call } from './call.js';
import type { CallOptions } from './call-options.js';
import { CallStream } from './call-stream.js';
import type { StreamOptions } from './call-stream.js';
import { Callee } from './callee.js';
import type { Handler, RegisterOptions, Registration } from './callee.js';
import { Caller } from './caller.js';
import { Emitter } from './emitter.js';
import { ErrorMap } from './error-map.js';
import { isSessionLoss } from './errors.js';
import type { WampError } from './errors.js';
import { EventStream } from './event-stream.js';
import type { EventBufferOptions } from './event-stream.js';
import type { IdGenerator } from './id-generator.js';
import type { Invocation } from './invocation.js';
import { Link } from './link.js';
import type { ClientState, LinkInit } from './link.js';
import type { LivenessOptions } from './liveness.js';
import { NO_ARGS, encodePayload } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import { PassThruForms } from './payload-passthru.js';
import type { PassThru } from './payload-passthru.js';
import type { MatchPolicy } from './policies.js';
import { publishDict } from './publish-options.js';
import type { PublishOptions } from './publish-options.js';
import { ReconnectPolicy } from './reconnect.js';
import type { ReconnectOptions } from './reconnect.js';
import type { Session } from './session.js';
import { Subscriber } from './subscriber.js';
import type { EventCallback, SubscribeOptions, Subscription } from './subscriber.js';
import type { SubscriptionEvent } from './subscription-event.js';

export interface ClientOptions {
  /** What handlers and callbacks throw without being asked, and what could not be restored. The console unless given. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Forms of payloads that the router passes through, which can be read here. */
  readonly passThru?: readonly PassThru[] | undefined;
  /** How to come back when the connection is lost; `connect` knows the way. */
  readonly reopen?: LinkInit['reopen'];
  readonly reconnect?: ReconnectOptions | undefined;
  /** Looks after a router that is silent, so that a connection which is half-open does not go unnoticed. */
  readonly liveness?: LivenessOptions | false | undefined;
  readonly clock?: Clock | undefined;
}

export interface ClientEvents {
  readonly state: ClientState;
  /** After a lost connection all registrations and subscriptions stand again. */
  readonly restored: Session;
  /** A subscription was without connection: events may be missing, unless it has `history`. */
  readonly gap: { readonly subscription: Subscription; readonly lastPublicationId: number | undefined };
  /** The router has taken a registration or a subscription away. */
  readonly revoked: Dict;
  /** Every message that comes. */
  readonly message: RouterMessage;
}

// oxlint-disable-next-line typescript/no-explicit-any -- what handlers are given, whose types say what it offers.
export type AnyClient = Client<any>;

type Procedure<Api extends ApiType, P extends ProcedureOf<Api>> = Api['procedures'][P];
type Topic<Api extends ApiType, T extends TopicOf<Api>> = Api['topics'][T];
/** Arguments may be left out where there need be none. */
type Parameters<A extends Args, Options> = readonly [] extends A
  ? [args?: A, options?: Options]
  : [args: A, options?: Options];

/**
 * Calls, serves, publishes and listens, over a session of which it takes full control. Handlers and callbacks run in the order in
 * which messages come; what they do after their first `await` may overlap.
 */
export class Client<Api extends ApiType = AnyApi> implements AsyncDisposable {
  readonly #link: Link;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #subscriber: Subscriber;
  readonly #events = new Emitter<ClientEvents>();
  readonly #streams = new Set<{ end(): void }>();
  /** How ERRORs become exceptions here, and exceptions ERRORs. */
  readonly errorMap = new ErrorMap();

  constructor(session: Session, options: ClientOptions = {}) {
    this.#link = new Link(session, this.#linkInit(options), {
      onState: (state) => {
        if (state === 'closed') for (const stream of this.#streams) stream.end();
        this.#emit('state', state);
      },
      onSession: (next) => next.addMessageHandler((message) => this.#received(next, message)),
      onLost: (error) => {
        this.#caller.failAll(error);
        this.#callee.sessionLost();
        this.#subscriber.subscriptions.sessionLost();
      },
      restore: async () => await this.#restore(),
    });
    this.#caller = new Caller(this.#link);
    this.#callee = new Callee(this, this.#link);
    this.#subscriber = new Subscriber(this, this.#link);
  }

  /** The session that is used now, or was used last. */
  get session(): Session {
    return this.#link.lastSession;
  }

  /** Makes the request ids of this session. */
  get idGenerator(): IdGenerator {
    return this.session.idGenerator;
  }

  get state(): ClientState {
    return this.#link.state;
  }

  toString(): string {
    return `Client(session ${this.session.sessionId} of realm ${this.session.realm}, ${this.state})`;
  }

  /** Calls a procedure. See `Call` for what can be done with the call. */
  call<P extends ProcedureOf<Api>>(
    procedure: P,
    ...[args = NO_ARGS as ArgsOf<Procedure<Api, P>>, options = {}]: Parameters<
      ArgsOf<Procedure<Api, P>>,
      CallOptions<KwargsOf<Procedure<Api, P>>>
    >
  ): Call<ResultOf<Procedure<Api, P>>, ProgressOf<Procedure<Api, P>>> {
    return this.#caller.call({ procedure, args, options, isOpenEnded: false });
  }

  /** A call whose arguments come bit by bit. */
  stream<P extends ProcedureOf<Api>>(
    procedure: P,
    options: StreamOptions = {},
  ): CallStream<ResultOf<Procedure<Api, P>>, ProgressOf<Procedure<Api, P>>> {
    return new CallStream(this.#link, this.#caller, procedure, options);
  }

  /**
   * Publishes an event. Resolves with its publication id if it is to be acknowledged, else as soon as it is on its way. Need not be
   * awaited: that the connection is gone ends no process.
   *
   *     await client.publish('com.app.news', ['hello'], { acknowledge: true });
   */
  publish<T extends TopicOf<Api>>(
    topic: T,
    ...[args = NO_ARGS as ArgsOf<Topic<Api, T>>, options = {}]: Parameters<
      ArgsOf<Topic<Api, T>>,
      PublishOptions<KwargsOf<Topic<Api, T>>>
    >
  ): Promise<number | undefined> {
    const answer = withResolvers<number | undefined>();
    const isAcknowledged = options.acknowledge === true || options.options?.['acknowledge'] === true;
    const request = this.#link.pending.make({
      expects: MessageType.published,
      toMessage: (request) => ({
        type: MessageType.publish,
        request,
        options: publishDict(options),
        topic,
        payload: encodePayload(args, options.kwargs as Kwargs | undefined, options.passThru),
      }),
      answered: (message) =>
        answer.resolve(message.type === MessageType.published ? message.publication : undefined),
      failed: (error) => {
        if (isSessionLoss(error)) answer.promise.catch(() => {});
        answer.reject(error);
      },
    });
    const unacknowledged = { ...request, sent: () => answer.resolve(undefined) };
    this.#link.request(isAcknowledged ? request : unacknowledged);
    return answer.promise;
  }

  /**
   * Serves a procedure. What the handler returns is the result; what it throws, an ERROR; a generator's yields are progress.
   *
   *     await client.register('com.app.add', ({ args: [a, b] }) => a + b);
   */
  async register<P extends ProcedureOf<Api>>(
    procedure: P,
    handler: Handler<Invocation<ArgsOf<Procedure<Api, P>>, KwargsOf<Procedure<Api, P>>>>,
    options: RegisterOptions = {},
  ): Promise<Registration> {
    return await this.#callee.register(procedure, handler as unknown as Handler, options);
  }

  /** Ends one registration of a procedure, or all. Rejects with BaseError NOT_FOUND if there is none. */
  async unregister(procedure: ProcedureOf<Api>, registrationId?: number): Promise<void> {
    await this.#callee.registrations.endAll(procedure, registrationId);
  }

  /** Has events of a topic handed to `callback`, in order. */
  async subscribe<T extends TopicOf<Api>>(
    topic: T,
    callback: EventCallback<SubscriptionEvent<ArgsOf<Topic<Api, T>>, KwargsOf<Topic<Api, T>>>>,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    return await this.#subscriber.subscribe(topic, callback as unknown as EventCallback, options);
  }

  /** Ends one subscription to a topic, or all. Rejects with BaseError NOT_FOUND if there is none. */
  async unsubscribe(topic: TopicOf<Api>, subscriptionId?: number): Promise<void> {
    await this.#subscriber.subscriptions.endAll(topic, subscriptionId);
  }

  /** Events of a topic, to be read one after the other; the subscription ends with the loop. */
  events<T extends TopicOf<Api>>(
    topic: T,
    options: SubscribeOptions & EventBufferOptions = {},
  ): EventStream<SubscriptionEvent<ArgsOf<Topic<Api, T>>, KwargsOf<Topic<Api, T>>>> {
    const stream = new EventStream<SubscriptionEvent<ArgsOf<Topic<Api, T>>, KwargsOf<Topic<Api, T>>>>(
      options,
      async (push) => await this.subscribe(topic, push, options),
      () => void this.#streams.delete(stream),
    );
    this.#streams.add(stream);
    return stream;
  }

  getRegistrationIds(procedure: ProcedureOf<Api>): readonly number[] {
    return this.#callee.registrations.idsOf(procedure);
  }

  getSubscriptionIds(topic: TopicOf<Api>): readonly number[] {
    return this.#subscriber.subscriptions.idsOf(topic);
  }

  /** ERRORs with this URI become exceptions of this class, and the other way round. */
  mapError(
    uri: string,
    errorClass: new (error: WampError) => Error,
    options: { readonly match?: MatchPolicy } = {},
  ): void {
    this.errorMap.registerErrorResponse(uri, (error) => new errorClass(error), options);
    if (options.match === undefined || options.match === 'exact')
      this.errorMap.registerException(errorClass, uri);
  }

  /** Returns what removes the listener. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Resolves when there is a connection and all is restored; rejects when there will be none. */
  async ready(): Promise<void> {
    await this.#link.ready();
  }

  /** Resolves when the client is closed, by whomever. */
  async waitUntilDone(): Promise<void> {
    await this.#link.waitUntilDone();
  }

  /** Says good-bye. Calls without an answer fail with ClientClosed, and handlers' signals are aborted. */
  async close(details?: Dict, options: { readonly reason?: string } = {}): Promise<void> {
    await this.#link.close(details, options.reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #linkInit(options: ClientOptions): LinkInit {
    return {
      clock: options.clock ?? systemClock,
      errors: this.errorMap,
      forms: new PassThruForms(options.passThru),
      onError: options.onError ?? ((error) => console.error(error)),
      reopen: options.reopen,
      policy: new ReconnectPolicy(options.reconnect),
      liveness: options.liveness ?? {},
    };
  }

  #received(session: Session, message: RouterMessage): void {
    if (this.#events.has('message')) this.#emit('message', message);
    switch (message.type) {
      case MessageType.result:
        this.#caller.received(message);
        return;
      case MessageType.event:
        this.#subscriber.received(message);
        return;
      case MessageType.invocation:
      case MessageType.interrupt:
        this.#callee.received(session, message);
        return;
      case MessageType.error:
        if (message.requestType === MessageType.call) this.#caller.failed(message);
        else this.#link.pending.failed(message);
        return;
      case MessageType.unsubscribed:
      case MessageType.unregistered:
        if (message.request === 0) this.#revoked(message.details ?? {});
        else this.#link.pending.answered(message.request, message);
        return;
      case MessageType.published:
      case MessageType.subscribed:
      case MessageType.registered:
        this.#link.pending.answered(message.request, message);
        return;
      default:
      // The session keeps the rest to itself.
    }
  }

  #revoked(details: Dict): void {
    this.#callee.registrations.revoked(details);
    this.#subscriber.subscriptions.revoked(details);
    this.#emit('revoked', details);
  }

  async #restore(): Promise<void> {
    const { registrations } = this.#callee;
    const { subscriptions } = this.#subscriber;
    const held = [...subscriptions];
    await Promise.all([
      registrations.restore(async (registration) => await registrations.begin(registration)),
      subscriptions.restore(async (subscription) => await this.#subscriber.restore(subscription)),
    ]);
    if (this.#link.session === undefined) return;
    for (const subscription of held) {
      const { lastPublicationId } = subscription;
      if (subscription.isActive) this.#emit('gap', { subscription, lastPublicationId });
    }
    this.#emit('restored', this.#link.session);
  }

  #emit<Name extends keyof ClientEvents>(name: Name, value: ClientEvents[Name]): void {
    this.#link.guard(() => this.#events.emit(name, value));
  }
}
