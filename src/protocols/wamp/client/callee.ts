import { MessageType } from '../messages/message.js';
import type { Interrupt as InterruptMessage, Invocation as InvocationMessage } from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import { withResolvers } from './async-queue.js';
import type { AnyClient } from './client.js';
import { BaseError, WampError, isSessionLoss } from './errors.js';
import { Invocation } from './invocation.js';
import type { Link } from './link.js';
import { definedOptions, numberIn, textIn } from './payload.js';
import type { Arguments, Dict } from './payload.js';
import type { InvocationPolicy, MatchPolicy } from './policies.js';
import { runHandler } from './run-handler.js';
import type { Session } from './session.js';

export type Handler<I = Invocation> = (invocation: I) => unknown;

export interface RegisterOptions {
  /** Has callers named to the handler, whether they want or not. */
  readonly discloseCaller?: boolean | undefined;
  /** `exact` unless given. */
  readonly matchPolicy?: MatchPolicy | undefined;
  /** `single` unless given. */
  readonly invocationPolicy?: InvocationPolicy | undefined;
  /** How many calls the router sends at a time. */
  readonly concurrency?: number | undefined;
  /** Has timeouts of calls watched here, where the handler's `signal` is aborted, instead of in the router. */
  readonly forwardTimeout?: boolean | undefined;
  /** Takes the procedure over from who has it. */
  readonly forceReregister?: boolean | undefined;
  /** More options for REGISTER; these win. */
  readonly options?: Dict | undefined;
}

/** A procedure that this client serves. Stays what it is when the connection is lost and comes back. */
export class Registration {
  readonly procedure: string;
  readonly options: RegisterOptions;
  readonly handler: Handler;
  readonly #callee: Callee;
  /** Of this session; `undefined` while there is none, and after it has ended. */
  id: number | undefined;
  /** Whether it still stands, be it that it must be restored first. */
  isActive = true;

  constructor(callee: Callee, procedure: string, handler: Handler, options: RegisterOptions) {
    this.#callee = callee;
    this.procedure = procedure;
    this.handler = handler;
    this.options = options;
  }

  async unregister(): Promise<void> {
    await this.#callee.unregister(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unregister();
  }
}

/** Registrations, and the invocations under way. */
export class Callee {
  readonly #client: AnyClient;
  readonly #link: Link;
  readonly #registrations = new Set<Registration>();
  /** A router may give one id to two registrations of one session: the last one answers. */
  readonly #byId = new Map<number, Registration[]>();
  readonly #invocations = new Map<number, Invocation>();

  constructor(client: AnyClient, link: Link) {
    this.#client = client;
    this.#link = link;
  }

  get registrations(): Iterable<Registration> {
    return this.#registrations;
  }

  async register(procedure: string, handler: Handler, options: RegisterOptions): Promise<Registration> {
    const registration = new Registration(this, procedure, handler, options);
    await this.#register(registration);
    return registration;
  }

  /** Registers anew what was registered in a session that is gone. */
  async restore(): Promise<void> {
    const lost = [...this.#registrations];
    this.#registrations.clear();
    await Promise.all(
      lost.map(async (registration) => {
        try {
          await this.#register(registration);
        } catch (error) {
          // If the connection was lost again, it is restored with the next one.
          if (isSessionLoss(error)) this.#registrations.add(registration);
          else registration.isActive = false;
          this.#link.onError(error);
        }
      }),
    );
  }

  async unregister(registration: Registration): Promise<void> {
    if (!registration.isActive) return;
    registration.isActive = false;
    this.#registrations.delete(registration);
    const { id } = registration;
    if (id === undefined || this.#forget(registration, id)) return;
    await this.#end(id);
  }

  async #end(id: number): Promise<void> {
    const answer = withResolvers<void>();
    this.#link.ask({
      expects: MessageType.unregistered,
      toMessage: (request) => ({ type: MessageType.unregister, request, registration: id }),
      answered: () => answer.resolve(),
      failed: answer.reject,
    });
    await answer.promise;
  }

  idsOf(procedure: string): readonly number[] {
    const ids = this.#ofProcedure(procedure).map(({ id }) => id);
    return [...new Set(ids)].filter((id) => id !== undefined).sort((a, b) => a - b);
  }

  /** @throws BaseError NOT_FOUND */
  find(procedure: string, id?: number): readonly Registration[] {
    const found = this.#ofProcedure(procedure).filter((each) => id === undefined || each.id === id);
    if (found.length > 0) return found;
    throw new BaseError(
      'NOT_FOUND',
      `nothing is registered as ${procedure}${id === undefined ? '' : ` (${id})`}`,
    );
  }

  invoked(session: Session, message: InvocationMessage): void {
    const running = this.#invocations.get(message.request);
    const payload = this.#read(session, message);
    if (payload === undefined) return;
    if (running !== undefined) {
      running.continued(payload, message.details['progress'] !== true);
      return;
    }
    const registration = this.#byId.get(message.registration)?.at(-1);
    if (registration === undefined) {
      this.#refuse(session, message, new WampError(Uris.noSuchProcedure, ['it was just unregistered']));
    } else this.#run(session, message, payload, registration);
  }

  interrupted(message: InterruptMessage): void {
    this.#invocations.get(message.request)?.interrupted(message.options);
  }

  /** UNREGISTERED with request 0: the router has taken the registration away. */
  revoked(details: Dict): readonly Registration[] {
    const id = numberIn(details, 'registration');
    const revoked = (id === undefined ? undefined : this.#byId.get(id)) ?? [];
    for (const registration of revoked) {
      registration.isActive = false;
      registration.id = undefined;
      this.#registrations.delete(registration);
      this.#link.onError(
        new BaseError(
          'NOT_FOUND',
          `the router revoked ${registration.procedure}: ${textIn(details, 'reason') ?? 'no reason given'}`,
        ),
      );
    }
    if (id !== undefined) this.#byId.delete(id);
    return revoked;
  }

  /** The session is over. */
  sessionLost(): void {
    this.#byId.clear();
    for (const registration of this.#registrations) registration.id = undefined;
    for (const invocation of this.#invocations.values()) invocation.abandon();
    this.#invocations.clear();
  }

  async #register(registration: Registration): Promise<void> {
    const answer = withResolvers<void>();
    const { procedure } = registration;
    const options = registerDict(registration.options);
    this.#link.ask({
      expects: MessageType.registered,
      toMessage: (request) => ({ type: MessageType.register, request, options, procedure }),
      answered: (message) => {
        if (message.type !== MessageType.registered) return;
        this.#installed(registration, message.registration);
        answer.resolve();
      },
      failed: answer.reject,
    });
    await answer.promise;
  }

  #installed(registration: Registration, id: number): void {
    registration.id = id;
    this.#registrations.add(registration);
    const others = this.#byId.get(id);
    if (others === undefined) this.#byId.set(id, [registration]);
    else others.push(registration);
    if (!registration.isActive) this.#endLate(registration, id);
  }

  /** It was unregistered while it was being restored. */
  #endLate(registration: Registration, id: number): void {
    this.#registrations.delete(registration);
    if (!this.#forget(registration, id)) this.#end(id).catch((error: unknown) => this.#link.onError(error));
  }

  /** Whether another registration still needs the id. */
  #forget(registration: Registration, id: number): boolean {
    registration.id = undefined;
    const left = (this.#byId.get(id) ?? []).filter((other) => other !== registration);
    if (left.length > 0) this.#byId.set(id, left);
    else this.#byId.delete(id);
    return left.length > 0;
  }

  #ofProcedure(procedure: string): readonly Registration[] {
    return [...this.#registrations].filter((registration) => registration.procedure === procedure);
  }

  #run(session: Session, message: InvocationMessage, payload: Arguments, registration: Registration): void {
    const invocation = new Invocation({
      client: this.#client,
      link: this.#link,
      session,
      message,
      payload,
      registeredProcedure: registration.procedure,
      onDone: (requestId) => void this.#invocations.delete(requestId),
    });
    this.#invocations.set(message.request, invocation);
    runHandler(this.#link, invocation, registration.handler);
  }

  #read(session: Session, message: InvocationMessage): Arguments | undefined {
    try {
      return this.#link.forms.read(message.payload, message.details);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      this.#refuse(session, message, error);
      return undefined;
    }
  }

  #refuse(session: Session, { request }: InvocationMessage, error: WampError): void {
    const invocation = { type: MessageType.error, requestType: MessageType.invocation, request } as const;
    session.send({ ...invocation, details: {}, error: error.uri, payload: Payload.of(error.args) });
  }
}

function registerDict(options: RegisterOptions): Dict {
  return definedOptions(
    {
      disclose_caller: options.discloseCaller,
      match: options.matchPolicy,
      invoke: options.invocationPolicy,
      concurrency: options.concurrency,
      forward_timeout: options.forwardTimeout,
      force_reregister: options.forceReregister,
    },
    options.options,
  );
}
