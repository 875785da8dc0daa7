import type { Clock } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { Published } from '../messages/message.js';
import type { RouterMessage } from './message.js';
import type { AnyApi, ApiType, ArgsOf, KwargsOf, ProcedureOf, ProgressOf, ResultOf, TopicOf } from './api.js';
import { Call } from './call.js';
import type { CallOptions } from './call-options.js';
import { CallStream } from './call-stream.js';
import type { StreamOptions } from './call-stream.js';
import type { Handler, RegisterOptions, Registration } from './callee.js';
import type { WampError } from './errors.js';
import { EventStream } from './event-stream.js';
import type { EventBufferOptions } from './event-stream.js';
import type { IdGenerator } from './id-generator.js';
import type { Invocation } from './invocation.js';
import { Link } from './link.js';
import type { ClientState } from './link.js';
import type { LivenessOptions } from './liveness.js';
import { NO_ARGS, encodePayload } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import type { PassThru } from './payload-passthru.js';
import type { MatchPolicy } from './policies.js';
import { publishDict } from './publish-options.js';
import type { PublishOptions } from './publish-options.js';
import type { ReconnectOptions } from './reconnect.js';
import type { Session } from './session.js';
import type { EventCallback, SubscribeOptions, Subscription } from './subscriber.js';
import type { SubscriptionEvent } from './subscription-event.js';

export interface ClientOptions {
  /** What handlers and callbacks throw without being asked, and what could not be restored. The console unless given. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Forms of payloads that the router passes through, which can be read here. */
  readonly passThru?: readonly PassThru[] | undefined;
  /** How to come back when the connection is lost; `connect` knows the way. */
  readonly reopen?: ((signal: AbortSignal) => Promise<Session>) | undefined;
  /** Comes back when the connection is lost, and restores registrations and subscriptions. False unless given. */
  readonly reconnect?: boolean | ReconnectOptions | undefined;
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
export class Client<Api extends ApiType = AnyApi> extends Link {
  /** Makes the request ids of this session. */
  get idGenerator(): IdGenerator {
    return this.session.idGenerator;
  }

  override toString(): string {
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
    const call = new Call<ResultOf<Procedure<Api, P>>, ProgressOf<Procedure<Api, P>>>(
      this,
      procedure,
      args,
      options,
    );
    this.request(call);
    return call;
  }

  /** A call whose arguments come bit by bit. */
  stream<P extends ProcedureOf<Api>>(
    procedure: P,
    options: StreamOptions = {},
  ): CallStream<ResultOf<Procedure<Api, P>>, ProgressOf<Procedure<Api, P>>> {
    return new CallStream(this, procedure, options);
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
    const dict = publishDict(options);
    return this.ask(
      MessageType.published,
      (request) => ({
        type: MessageType.publish,
        request,
        options: dict,
        topic,
        payload: encodePayload(args, options.kwargs as Kwargs | undefined, options.passThru),
      }),
      (answer) => (answer as Published).publication,
      dict['acknowledge'] === true,
    );
  }

  /**
   * Serves a procedure. What the handler returns is the result; what it throws, an ERROR; a generator's yields are progress.
   *
   *     await client.register('com.app.add', ({ args: [a, b] }) => a + b);
   */
  register<P extends ProcedureOf<Api>>(
    procedure: P,
    handler: Handler<Invocation<ArgsOf<Procedure<Api, P>>, KwargsOf<Procedure<Api, P>>>>,
    options: RegisterOptions = {},
  ): Promise<Registration> {
    // Which arguments it takes is known to the compiler only.
    return this.registrations.open(procedure, handler as unknown as Handler, options);
  }

  /** Ends one registration of a procedure, or all. Rejects with BaseError NOT_FOUND if there is none. */
  unregister(procedure: ProcedureOf<Api>, registrationId?: number): Promise<void> {
    return this.registrations.endAll(procedure, registrationId);
  }

  /** Has events of a topic handed to `callback`, in order. */
  subscribe<T extends TopicOf<Api>>(
    topic: T,
    callback: EventCallback<SubscriptionEvent<ArgsOf<Topic<Api, T>>, KwargsOf<Topic<Api, T>>>>,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    // As a handler's.
    return this.subscriptions.open(topic, callback as unknown as EventCallback, options);
  }

  /** Ends one subscription to a topic, or all. Rejects with BaseError NOT_FOUND if there is none. */
  unsubscribe(topic: TopicOf<Api>, subscriptionId?: number): Promise<void> {
    return this.subscriptions.endAll(topic, subscriptionId);
  }

  /** Events of a topic, to be read one after the other; the subscription ends with the loop. */
  events<T extends TopicOf<Api>>(
    topic: T,
    options: SubscribeOptions & EventBufferOptions = {},
  ): EventStream<SubscriptionEvent<ArgsOf<Topic<Api, T>>, KwargsOf<Topic<Api, T>>>> {
    return new EventStream(this, options, (push) => this.subscribe(topic, push, options));
  }

  getRegistrationIds(procedure: ProcedureOf<Api>): readonly number[] {
    return this.registrations.idsOf(procedure);
  }

  getSubscriptionIds(topic: TopicOf<Api>): readonly number[] {
    return this.subscriptions.idsOf(topic);
  }

  /** ERRORs with this URI become exceptions of this class, and the other way round. */
  mapError(
    uri: string,
    errorClass: new (error: WampError) => Error,
    { match = 'exact' }: { readonly match?: MatchPolicy } = {},
  ): void {
    this.errorMap.registerErrorResponse(uri, (error) => new errorClass(error), { match });
    if (match === 'exact') this.errorMap.registerException(errorClass, uri);
  }
}
