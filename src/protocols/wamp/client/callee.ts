import * as MessageType from '../messages/message-type.js';
import * as Uris from '../messages/uris.js';
import type { AnyClient } from './client.js';
import { TransportError } from './errors.js';
import { Holding, Holdings } from './holdings.js';
import type { HoldingKind } from './holdings.js';
import type { Invocation } from './invocation.js';
import type { Invocations } from './invocations.js';
import type { Link } from './link.js';
import type { Interrupt as InterruptMessage, Invocation as InvocationMessage } from './message.js';
import { NO_PAYLOAD, definedOptions } from './payload.js';
import type { Dict } from './payload.js';
import type { Registered } from '../messages/message.js';
import type { InvocationPolicy, MatchPolicy } from './policies.js';
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
export class Registration extends Holding {
  readonly options: RegisterOptions;
  readonly handler: Handler;
  readonly #registrations: Holdings<Registration>;

  constructor(
    registrations: Holdings<Registration>,
    procedure: string,
    handler: Handler,
    options: RegisterOptions,
  ) {
    super(procedure);
    this.#registrations = registrations;
    this.handler = handler;
    this.options = options;
  }

  get procedure(): string {
    return this.uri;
  }

  async unregister(): Promise<void> {
    await this.#registrations.end(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unregister();
  }
}

const REGISTRATIONS: HoldingKind<Registration> = {
  noun: 'registration',
  begins: (request, { procedure, options }) => ({
    type: MessageType.register,
    request,
    options: registerDict(options),
    procedure,
  }),
  begun: MessageType.registered,
  idOf: (answer) => (answer as Registered).registration,
  ends: (request, registration) => ({ type: MessageType.unregister, request, registration }),
  ended: MessageType.unregistered,
};

/** More calls than that while the code for them is on its way are somebody else's. */
const EARLY_MAX = 10_000;

type ForCallee = InvocationMessage | InterruptMessage;

/** Registrations. What answers invocations is loaded with the first one, as most pages only call. */
export class Callee {
  readonly registrations: Holdings<Registration>;
  readonly #client: AnyClient;
  readonly #link: Link;
  #invocations: Invocations | undefined;
  #loading: Promise<typeof import('./invocations.js')> | undefined;
  /** What has come while it was being loaded. */
  #early: (readonly [Session, ForCallee])[] = [];

  constructor(client: AnyClient, link: Link) {
    this.#client = client;
    this.#link = link;
    this.registrations = new Holdings(link, REGISTRATIONS);
  }

  /** REGISTER leaves at once, in its turn. */
  async register(procedure: string, handler: Handler, options: RegisterOptions): Promise<Registration> {
    const registration = new Registration(this.registrations, procedure, handler, options);
    await Promise.all([this.registrations.begin(registration), this.#load(registration)]);
    return registration;
  }

  received(session: Session, message: ForCallee): void {
    if (this.#invocations !== undefined) this.#invocations.received(session, message);
    else if (this.#early.length < EARLY_MAX) this.#early.push([session, message]);
    else refuse(session, message);
  }

  /** The session is over. */
  sessionLost(): void {
    this.registrations.sessionLost();
    this.#early = [];
    this.#invocations?.sessionLost();
  }

  async #load(registration: Registration): Promise<void> {
    if (this.#invocations !== undefined) return;
    try {
      this.#loading ??= import('./invocations.js');
      const { Invocations } = await this.#loading;
      this.#invocations ??= new Invocations(this.#client, this.#link, this.registrations);
      for (const [session, message] of this.#early.splice(0)) this.received(session, message);
    } catch (error) {
      this.#loading = undefined;
      for (const [session, message] of this.#early.splice(0)) refuse(session, message);
      registration.unregister().catch((cause: unknown) => this.#link.onError(cause));
      throw new TransportError('the code that answers calls cannot be loaded', error);
    }
  }
}

/** Tells the router to ask somebody else. */
function refuse(session: Session, { type, request }: ForCallee): void {
  if (type !== MessageType.invocation) return;
  session.send({
    type: MessageType.error,
    requestType: type,
    request,
    details: {},
    error: Uris.unavailable,
    payload: NO_PAYLOAD,
  });
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
