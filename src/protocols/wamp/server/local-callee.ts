import type { Registration } from '../../../hub/registration-table.js';
import { type Invocation, MessageType, type RouterMessage } from '../messages/message.js';
import { MessageError } from '../messages/message-error.js';
import { Uris } from '../messages/uri.js';
import { AnnouncedFeatures } from './features.js';
import { LocalInput } from './local-input.js';
import { canceled, LocalInvocation } from './local-invocation.js';
import type { Output, Sending, TransportInfo } from './output.js';
import type { Realm } from './realm.js';
import type { Offer } from './registrar.js';
import { Session } from './session.js';

/** Answers an invocation, sooner or later, once. What it throws goes to `onError`; the caller learns nothing of it. */
export type LocalHandler = (invocation: LocalInvocation) => void;

const FEATURES = {
  callee: {
    features: { call_canceling: true, progressive_call_invocations: true, progressive_call_results: true },
  },
};
const TRANSPORT: TransportInfo = { type: 'memory', serializer: 'none', peer: 'process' };

/**
 * Procedures that the embedding application serves. To the dealer it is a callee as any other: policies, cancelling, timeouts,
 * progress and the meta API are the same for its procedures.
 *
 * @example
 * const callee = realm.addCallee('clock', 'service');
 * callee.register({ procedure: 'com.example.now' }, (call) => call.result(Payload.of([Date.now()])));
 */
export class LocalCallee implements Output {
  readonly session: Session;
  /** Nothing waits: an invocation runs before the turn ends. */
  readonly queuedBytes = 0;
  readonly #realm: Realm;
  readonly #handlers = new Map<number, LocalHandler>();
  readonly #running = new Map<number, LocalInvocation>();
  /** Of progressive calls, from the first CALL to the answer. */
  readonly #inputs = new Map<number, LocalInput>();

  constructor(realm: Realm, id: number, who: { readonly authid: string; readonly authrole: string }) {
    this.#realm = realm;
    const info = {
      ...who,
      session: id,
      realm: realm.name,
      authmethod: 'internal',
      authprovider: 'static',
      authextra: {},
      context: undefined,
    };
    this.session = new Session(
      realm.services,
      info,
      new AnnouncedFeatures(FEATURES),
      TRANSPORT,
      this,
      () => {},
    );
    this.session.isResident = true;
  }

  /** Takes the procedure from clients that have it, unless it is shared by the same policy. Throws Refusal if it is taken here. */
  register(offer: Pick<Offer, 'procedure'> & Partial<Offer>, handler: LocalHandler): Registration<Session> {
    const { procedure, match = 'exact', invoke = 'single', concurrency = Infinity, disclose = false } = offer;
    const { registrar } = this.#realm;
    const force = invoke === 'single' || registrar.table.index.get(procedure, match)?.invoke !== invoke;
    const full = { procedure, match, invoke, concurrency, disclose, forwardTimeout: false, force };
    let registered!: Registration<Session>;
    registrar.add(this.session, full, (registration) => {
      registered = registration;
      this.#handlers.set(registration.id, handler);
    });
    return registered;
  }

  /** Calls under way are not touched. */
  unregister(registration: Registration<Session>): void {
    this.#handlers.delete(registration.id);
    this.#realm.registrar.remove(this.session, registration, () => {});
  }

  send(message: RouterMessage): Sending {
    if (message.type === MessageType.invocation) return this.#receive(message);
    if (message.type === MessageType.interrupt) this.#interrupt(message.request);
    return 'sent';
  }

  #interrupt(request: number): void {
    // It may not have begun.
    this.#inputs.get(request)?.close(canceled());
    this.#running.get(request)?.abort();
  }

  #receive(message: Invocation): Sending {
    try {
      // Octets that cannot be decoded are not seen before somebody looks.
      void message.payload.args;
    } catch (error) {
      if (error instanceof MessageError) return 'unencodable';
      throw error;
    }
    const { request, details, payload } = message;
    const isOpenEnded = details['progress'] === true;
    const input = this.#inputs.get(request);
    if (input !== undefined) {
      // There is a call: only those under way go on.
      input.push(payload, this.session.invocations.get(request)!.caller, !isOpenEnded);
      return 'sent';
    }
    if (isOpenEnded) this.#inputs.set(request, new LocalInput(payload));
    queueMicrotask(() => this.#start(message));
    return 'sent';
  }

  sendEvent(): void {}

  end(): void {}

  #start(message: Invocation): void {
    const call = this.session.invocations.get(message.request);
    const input = this.#inputs.get(message.request);
    const forget = (): void => {
      this.#running.delete(message.request);
      this.#inputs.delete(message.request);
      input?.close(canceled());
    };
    // Canceled before it began, or revoked.
    if (call === undefined) return forget();
    const handler = this.#handlers.get(message.registration);
    const invocation = new LocalInvocation(this.#realm, call, message, input, forget);
    this.#running.set(message.request, invocation);
    try {
      if (call.isKilled) invocation.fail(Uris.canceled);
      else if (handler === undefined) invocation.fail(Uris.noSuchProcedure);
      else handler(invocation);
    } catch (error) {
      this.#realm.services.onError(error, `procedure ${invocation.procedure}`);
      invocation.fail(Uris.runtimeError, ['internal error']);
    }
  }
}
