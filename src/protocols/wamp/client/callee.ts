import * as MessageType from '../messages/message-type.js';
import { AsyncQueue } from './async-queue.js';
import { Interrupt, TransportError, WampError } from './errors.js';
import { CALLS_WAITING_MAX } from './limits.js';
import { Holding, Holdings } from './holdings.js';
import type { Invocation } from './invocation.js';
import type { InvocationParts } from './invocation-parts.js';
import type { Invocations } from './invocations.js';
import type { Link } from './link.js';
import type {
  Interrupt as InterruptMessage,
  Invocation as InvocationMessage,
  ProtocolUri,
} from './message.js';
import { NO_PAYLOAD } from './payload.js';
import type { Dict } from './payload.js';
import type { InvocationPolicy, MatchPolicy } from './policies.js';
import { InvocationProgress, InvocationResult, WampArguments, misuse } from './results.js';
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
export class Registration extends Holding<RegisterOptions, Handler> {
  get procedure(): string {
    return this.uri;
  }

  get handler(): Handler {
    return this.callback;
  }

  unregister(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }
}

/** Handed to the code that answers calls, which would otherwise share them with the page in a file of their own. */
const PARTS: InvocationParts = [
  AsyncQueue,
  Interrupt,
  InvocationProgress,
  InvocationResult,
  WampArguments,
  WampError,
  misuse,
];

type ForCallee = InvocationMessage | InterruptMessage;

/** Registrations. What answers invocations is loaded with the first one, as most pages only call. */
export class Registrations extends Holdings<Registration> {
  #invocations: Invocations | undefined;
  #loading: Promise<Invocations> | undefined;
  /** How many have come while it was being loaded. */
  #earlyCount = 0;

  constructor(link: Link) {
    super(link, {
      begins: MessageType.register,
      uriKey: 'procedure',
      idKey: 'registration',
      Handle: Registration,
      toDict: (options) => ({
        match: options.matchPolicy,
        invoke: options.invocationPolicy,
        concurrency: options.concurrency,
        disclose_caller: options.discloseCaller,
        forward_timeout: options.forwardTimeout,
        force_reregister: options.forceReregister,
        ...options.options,
      }),
    });
  }

  protected override async begin(registration: Registration): Promise<void> {
    this.#loading ??= this.#load();
    const loaded = this.#loading.catch((error: unknown) => {
      this.link.guard(() => registration.unregister());
      throw error;
    });
    await Promise.all([super.begin(registration), loaded]);
  }

  received(session: Session, message: ForCallee): void {
    if (this.#invocations !== undefined) this.#invocations.received(session, message);
    else if (this.#loading === undefined || this.#earlyCount === CALLS_WAITING_MAX) refuse(session, message);
    else {
      this.#earlyCount += 1;
      this.#loading.then(
        (invocations) => this.link.guard(() => invocations.received(session, message)),
        () => refuse(session, message),
      );
    }
  }

  override sessionLost(): void {
    super.sessionLost();
    this.#invocations?.sessionLost();
  }

  async #load(): Promise<Invocations> {
    this.#earlyCount = 0;
    try {
      const { Invocations } = await import('./invocations.js');
      const invocations = new Invocations(this, this.link, PARTS);
      // What comes from now on keeps queueing behind what has come early, until that has its turn.
      queueMicrotask(() => (this.#invocations = invocations));
      return invocations;
    } catch (error) {
      this.#loading = undefined;
      throw new TransportError('what answers calls cannot be loaded', error);
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
    error: 'wamp.error.unavailable' satisfies ProtocolUri,
    payload: NO_PAYLOAD,
  });
}
