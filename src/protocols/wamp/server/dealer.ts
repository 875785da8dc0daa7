import type { MatchPolicy } from '../../../hub/pattern-index.js';
import {
  type InvokePolicy,
  type Registration,
  RegistrationTable,
  type Server,
} from '../../../hub/registration-table.js';
import {
  type Call,
  type Cancel,
  type Dict,
  type ErrorMessage,
  MessageType,
  type Register,
  type Unregister,
  type Yield,
} from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import { CallInFlight } from './call.js';
import { copyPassthru, definedOf } from './check-options.js';
import type { Authorization, LocalProcedure } from './options.js';
import type { Realm } from './realm.js';
import { Refusal, Violation } from './refusal.js';
import type { Session } from './session.js';

const NO_DETAILS: Dict = Object.freeze({});

/** Procedures of a realm: who serves them, and the calls under way. */
export class Dealer {
  readonly registrations = new RegistrationTable<Session>();
  readonly #realm: Realm;

  constructor(realm: Realm) {
    this.#realm = realm;
  }

  call(session: Session, message: Call, isContinuation: boolean): void | Promise<void> {
    const { request, options, procedure } = message;
    const running = session.calls.get(request);
    if (running !== undefined) return this.#continue(running, message);
    // wampy 8 does not announce it and uses it; the specification would have such a session end.
    if (options['progress'] === true) session.features.learn('caller', 'progressive_call_invocations');
    const isProgressive = session.features.has('caller', 'progressive_call_invocations');
    // A chunk of a call that has its answer already: late, and no fault.
    if (isContinuation && isProgressive) return;
    if (options['ppt_scheme'] !== undefined && !session.features.has('caller', 'payload_passthru_mode')) {
      throw new Violation('payload passthru was not announced by the caller');
    }
    if (options['runmode'] === 'partition' && options['rkey'] === undefined) {
      throw new Refusal(Uris.invalidArgument, 'runmode partition needs rkey');
    }
    this.#realm.checkUri(procedure, 'exact');
    const answer = this.#realm.authorize(session, 'call', procedure, 'exact', options);
    if (answer instanceof Promise) return answer.then((decided) => this.#call(session, message, decided));
    return this.#call(session, message, answer);
  }

  #call(session: Session, message: Call, authorization: Authorization): void {
    const { request, options, procedure } = message;
    // The authorizer may have taken its time.
    if (!session.isOpen) return;
    const meta = this.#realm.metaProcedures.get(procedure);
    if (meta !== undefined) {
      const payload = meta(session, message.payload.args, message.payload.kwargs);
      session.output.send({ type: MessageType.result, request, details: NO_DETAILS, payload });
      return;
    }
    const local = this.#realm.options.findProcedure?.(procedure);
    if (local !== undefined) return this.#callLocal(session, message, local);
    const registration = this.registrations.index.findBest(procedure);
    if (registration === undefined) throw new Refusal(Uris.noSuchProcedure);
    if (session.calls.size >= this.#realm.services.limits.callsInFlight) {
      throw new Refusal(Uris.unavailable, 'too many calls under way');
    }
    const server = this.#choose(registration, options, undefined);
    if (server === undefined) throw new Refusal(Uris.noAvailableCallee);
    const call = new CallInFlight(
      session,
      request,
      procedure,
      registration,
      server,
      options,
      this.#onTimeout,
    );
    call.isOpenEnded = options['progress'] === true;
    if (registration.servers.length > 1 && !call.isOpenEnded) call.payload = message.payload;
    this.#invoke(call, message.payload, authorization);
    session.calls.set(request, call);
    const timeoutMs = options['timeout'] as number | undefined;
    if (timeoutMs !== undefined && timeoutMs > 0 && !this.#isTimeoutForwarded(call)) {
      call.timeoutMs = timeoutMs;
      this.#realm.services.wheel.schedule(call, timeoutMs);
    }
  }

  /** Runs a procedure of the embedding application. It cannot be cancelled; its answer may come late, or never. */
  #callLocal(session: Session, { request, payload }: Call, local: LocalProcedure): void {
    const answer = (value: unknown): void => {
      if (!session.isOpen) return;
      const result = value instanceof Payload ? value : Payload.of(value === undefined ? [] : [value]);
      const type = MessageType.result;
      const sending = session.output.send({ type, request, details: NO_DETAILS, payload: result });
      if (sending !== 'sent') {
        session.sendError(MessageType.call, request, Uris.invalidArgument, 'the result cannot be sent');
      }
    };
    const fail = (error: unknown): void => {
      if (!session.isOpen) return;
      if (error instanceof Refusal) {
        return session.sendError(MessageType.call, request, error.uri, error.message);
      }
      this.#realm.services.onError(error, 'procedure');
      session.sendError(MessageType.call, request, Uris.runtimeError, 'internal error');
    };
    const { args, kwargs } = payload;
    try {
      const result = local(session, args, kwargs);
      if (result instanceof Promise) result.then(answer, fail);
      else answer(result);
    } catch (error) {
      fail(error);
    }
  }

  /** A server that can take the call, by key or by the policy of the registration. */
  #choose(
    registration: Registration<Session>,
    options: Dict,
    tried: ReadonlySet<Session> | undefined,
  ): Server<Session> | undefined {
    const { queueBytes } = this.#realm.services.limits;
    const isFit = ({ member }: Server<Session>): boolean =>
      member.output.queuedBytes <= queueBytes && tried?.has(member) !== true;
    if (options['runmode'] === 'partition') {
      const name = ({ authid, session }: Session): string => `${authid} ${session}`;
      return registration.chooseByKey(options['rkey'] as string, name, isFit);
    }
    return registration.choose(this.#realm.nextRandom, isFit);
  }

  /** Sends INVOCATION. Throws Refusal when the callee cannot take it; nothing is under way then. */
  #invoke(call: CallInFlight, payload: Payload, authorization: Authorization): void {
    const { callee, options } = call;
    if (options['progress'] === true && !canStream(callee)) {
      throw new Refusal(Uris.featureNotSupported, 'the callee takes no progressive invocations');
    }
    if (options['ppt_scheme'] !== undefined && !callee.features.has('callee', 'payload_passthru_mode')) {
      throw new Refusal(Uris.featureNotSupported, 'the callee takes no payload passthru');
    }
    const details = this.#detailsFor(call, authorization);
    const request = callee.invocationIds.next();
    this.#sendInvocation(call, request, details, payload);
    call.invocation = request;
    callee.lastInvocation = request;
    callee.invocations.set(request, call);
    call.server.inFlight++;
  }

  #sendInvocation(call: CallInFlight, request: number, details: Dict, payload: Payload): void {
    const registration = call.registration.id;
    const sending = call.callee.output.send({
      type: MessageType.invocation,
      request,
      registration,
      details,
      payload,
    });
    if (sending === 'tooLong') throw new Refusal(Uris.payloadSizeExceeded, 'longer than the callee takes');
    if (sending === 'unencodable') {
      throw new Refusal(Uris.invalidArgument, 'an argument has no form in the serializer of the callee');
    }
  }

  #detailsFor(call: CallInFlight, authorization: Authorization): Dict {
    const { options, callee, caller, server, registration } = call;
    const isAsked = options['disclose_me'] === true;
    const isDisclosed = this.#realm.isDisclosed('caller', isAsked, authorization) || server.disclose;
    const isPlain = registration.match === 'exact' && !isDisclosed && authorization.trustLevel === undefined;
    if (isPlain && isEmpty(options)) return NO_DETAILS;
    const details: Record<string, unknown> = definedOf({
      procedure: registration.match === 'exact' ? undefined : call.procedure,
      trustlevel: authorization.trustLevel,
      progress: options['progress'] === true ? true : undefined,
      timeout: this.#isTimeoutForwarded(call) ? options['timeout'] : undefined,
    });
    if (isDisclosed) {
      details['caller'] = caller.session;
      details['caller_authid'] = caller.authid;
      details['caller_authrole'] = caller.authrole;
    }
    if (options['receive_progress'] === true && callee.features.has('callee', 'progressive_call_results')) {
      details['receive_progress'] = true;
    }
    copyPassthru(options, details);
    return details;
  }

  #isTimeoutForwarded({ server, callee, options }: CallInFlight): boolean {
    const timeoutMs = options['timeout'] as number | undefined;
    return (
      timeoutMs !== undefined &&
      timeoutMs > 0 &&
      server.forwardTimeout &&
      callee.features.has('callee', 'call_timeout')
    );
  }

  /** The next chunk of a call: same callee, same invocation, the options of the first one. */
  #continue(call: CallInFlight, { options, payload }: Call): void {
    if (!call.isOpenEnded) throw new Violation(`the call ${call.request} is under way`);
    call.isOpenEnded = options['progress'] === true;
    const details: Record<string, unknown> = call.isOpenEnded ? { progress: true } : {};
    copyPassthru(call.options, details);
    try {
      if (call.callee.output.queuedBytes > this.#realm.services.limits.queueBytes) {
        throw new Refusal(Uris.networkFailure, 'the callee reads too slowly');
      }
      this.#sendInvocation(call, call.invocation, details, payload);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#interrupt(call, 'killnowait');
      this.#fail(call, error.uri, error.message);
    }
  }

  cancel(session: Session, { request, options }: Cancel): void {
    const call = session.calls.get(request);
    // Its answer is on the way.
    if (call === undefined) return;
    const asked = (options['mode'] as string | undefined) ?? 'killnowait';
    const mode = call.callee.features.canCancel('callee') ? asked : 'skip';
    if (mode === 'skip')
      return this.#answer(call, () => call.caller.sendError(MessageType.call, request, Uris.canceled));
    if (mode === 'kill') {
      if (!call.isKilled) this.#interrupt(call, 'kill', Uris.canceled);
      call.isKilled = true;
      return;
    }
    this.#interrupt(call, 'killnowait', Uris.canceled);
    this.#fail(call, Uris.canceled);
  }

  readonly #onTimeout = (call: CallInFlight): void => {
    if (call.callee.features.canCancel('callee')) {
      this.#interrupt(call, 'killnowait', Uris.timeout);
      this.#fail(call, Uris.timeout);
    } else {
      this.#answer(call, () => call.caller.sendError(MessageType.call, call.request, Uris.timeout));
    }
  };

  yield(session: Session, { request, options, payload }: Yield): void {
    const call = this.#invocationOf(session, request);
    if (call === undefined) return;
    const { caller } = call;
    const details: Record<string, unknown> = {};
    copyPassthru(options, details);
    if (options['progress'] === true) return this.#progress(call, details, payload);
    this.#release(call);
    this.#answer(call, () => {
      const type = MessageType.result;
      const sending = caller.output.send({ type, request: call.request, details, payload });
      if (sending !== 'sent') sendUndeliverable(call, sending);
    });
  }

  #progress(call: CallInFlight, details: Record<string, unknown>, payload: Payload): void {
    const { caller } = call;
    // Nobody asked for it, or nobody waits for it any more.
    if (call.isDone || call.options['receive_progress'] !== true) return;
    if (caller.output.queuedBytes > this.#realm.services.limits.queueBytes) {
      // A progressive result that is missing would go unnoticed; an error does not.
      this.#interrupt(call, 'killnowait', Uris.networkFailure);
      return this.#fail(call, Uris.networkFailure, 'the caller reads too slowly');
    }
    details['progress'] = true;
    const type = MessageType.result;
    const sending = caller.output.send({ type, request: call.request, details, payload });
    if (sending !== 'sent') {
      this.#interrupt(call, 'killnowait');
      this.#release(call);
      return this.#answer(call, () => sendUndeliverable(call, sending));
    }
    if (call.timeoutMs > 0) this.#realm.services.wheel.schedule(call, call.timeoutMs);
  }

  error(session: Session, message: ErrorMessage): void {
    const call = this.#invocationOf(session, message.request);
    if (call === undefined) return;
    this.#release(call);
    if (message.error === Uris.unavailable && !call.isDone && this.#reroute(call)) return;
    this.#answer(call, () => {
      const details: Record<string, unknown> = {};
      copyPassthru(message.details, details);
      const { error, payload } = message;
      const sending = call.caller.output.send({
        type: MessageType.error,
        requestType: MessageType.call,
        request: call.request,
        details,
        error,
        payload,
      });
      if (sending !== 'sent') sendUndeliverable(call, sending);
    });
  }

  /** Gives the call to the next callee. Whether there was one. */
  #reroute(call: CallInFlight): boolean {
    (call.tried ??= new Set()).add(call.callee);
    if (call.payload === undefined) return false;
    const next = this.#choose(call.registration, call.options, call.tried);
    if (next === undefined) {
      this.#answer(call, () => call.caller.sendError(MessageType.call, call.request, Uris.noAvailableCallee));
      return true;
    }
    call.server = next;
    call.callee = next.member;
    try {
      this.#invoke(call, call.payload, { allow: true });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#answer(call, () =>
        call.caller.sendError(MessageType.call, call.request, error.uri, error.message),
      );
    }
    return true;
  }

  /** Answers to calls that are over come late and are no fault; to others that never were, they are one. */
  #invocationOf(session: Session, request: number): CallInFlight | undefined {
    const call = session.invocations.get(request);
    if (call === undefined && request > session.lastInvocation) {
      throw new Violation(`there was no invocation ${request}`);
    }
    return call;
  }

  #interrupt(call: CallInFlight, mode: 'kill' | 'killnowait', reason?: string): void {
    if (!call.callee.features.canCancel('callee')) return;
    const options = reason === undefined ? { mode } : { mode, reason };
    call.callee.output.send({ type: MessageType.interrupt, request: call.invocation, options });
  }

  /** Ends a call at once on both sides. */
  #fail(call: CallInFlight, uri: string, text?: string): void {
    this.#release(call);
    this.#answer(call, () => call.caller.sendError(MessageType.call, call.request, uri, text));
  }

  /** The caller's side is over. */
  #answer(call: CallInFlight, send: () => void): void {
    if (call.isDone) return;
    call.isDone = true;
    call.payload = undefined;
    this.#realm.services.wheel.cancel(call);
    call.caller.calls.delete(call.request);
    send();
  }

  /** The callee's side is over. */
  #release(call: CallInFlight): void {
    if (call.callee.invocations.delete(call.invocation)) call.server.inFlight--;
  }

  register(session: Session, message: Register): void | Promise<void> {
    const { options, procedure } = message;
    const match = (options['match'] as MatchPolicy | undefined) ?? 'exact';
    this.#realm.checkUri(procedure, match);
    if (procedure === 'wamp' || procedure.startsWith('wamp.')) {
      throw new Refusal(Uris.invalidUri, "names below wamp are the router's");
    }
    if (match === 'exact' && this.#realm.options.findProcedure?.(procedure) !== undefined) {
      throw new Refusal(Uris.procedureAlreadyExists);
    }
    const answer = this.#realm.authorize(session, 'register', procedure, match, options);
    if (answer instanceof Promise) return answer.then(() => this.#register(session, message, match));
    return this.#register(session, message, match);
  }

  #register(session: Session, { request, options, procedure }: Register, match: MatchPolicy): void {
    if (!session.isOpen) return;
    if (session.registrations.size >= this.#realm.services.limits.registrationsPerSession) {
      throw new Refusal(Uris.notAuthorized, 'too many registrations');
    }
    if (options['disclose_caller'] === true && this.#realm.options.discloseCaller === 'never') {
      throw new Refusal(Uris.discloseMeDisallowed);
    }
    const invoke = (options['invoke'] as InvokePolicy | undefined) ?? 'single';
    if (options['force_reregister'] === true) this.#evict(procedure, match);
    const server = {
      concurrency: (options['concurrency'] as number | undefined) ?? Infinity,
      disclose: options['disclose_caller'] === true,
      forwardTimeout: options['forward_timeout'] === true,
    };
    const nowMicros = this.#realm.services.clock.nowMicros();
    const added = this.registrations.add(session, procedure, match, invoke, server, nowMicros);
    if (added.kind === 'taken') throw new Refusal(Uris.procedureAlreadyExists);
    const { registration } = added;
    session.registrations.add(registration);
    session.output.send({ type: MessageType.registered, request, registration: registration.id });
    if (added.isFirst) this.#announce('on_create', session, describeRegistration(registration));
    this.#announce('on_register', session, registration.id);
  }

  #evict(procedure: string, match: MatchPolicy): void {
    const registration = this.registrations.index.get(procedure, match);
    if (registration === undefined) return;
    for (const { member } of registration.servers.slice()) {
      this.revoke(member, registration, 'wamp.error.procedure_registered_elsewhere');
    }
  }

  unregister(session: Session, { request, registration: id }: Unregister): void {
    const registration = this.registrations.get(id);
    if (registration === undefined || !session.registrations.has(registration)) {
      throw new Refusal(Uris.noSuchRegistration);
    }
    this.#remove(session, registration, () =>
      session.output.send({ type: MessageType.unregistered, request }),
    );
  }

  /** Ends a registration of a session from our side. Calls under way are not touched. */
  revoke(session: Session, registration: Registration<Session>, reason: string): void {
    this.#remove(session, registration, () => {
      if (!session.features.has('callee', 'registration_revocation')) return;
      const details = { registration: registration.id, reason };
      session.output.send({ type: MessageType.unregistered, request: 0, details });
    });
  }

  leave(session: Session): void {
    for (const registration of session.registrations) this.#remove(session, registration, () => {});
    for (const call of session.calls.values()) {
      this.#interrupt(call, 'killnowait', Uris.canceled);
      this.#release(call);
      this.#answer(call, () => {});
    }
    for (const call of session.invocations.values()) {
      this.#fail(call, Uris.canceled, 'the callee has gone');
    }
  }

  #remove(session: Session, registration: Registration<Session>, answer: () => void): void {
    session.registrations.delete(registration);
    const removed = this.registrations.remove(session, registration);
    answer();
    if (removed === undefined) return;
    this.#announce('on_unregister', session, registration.id);
    if (removed.isLast) this.#announce('on_delete', session, registration.id);
  }

  #announce(event: string, session: Session, what: unknown): void {
    this.#realm.broker.publishMeta(`wamp.registration.${event}`, [session.session, what], session);
  }
}

function canStream({ features }: Session): boolean {
  return features.has('callee', 'progressive_call_invocations') && features.canCancel('callee');
}

function isEmpty(options: Dict): boolean {
  for (const _key in options) return false;
  return true;
}

function sendUndeliverable(call: CallInFlight, why: 'tooLong' | 'unencodable'): void {
  const uri = why === 'tooLong' ? Uris.payloadSizeExceeded : Uris.invalidArgument;
  const text =
    why === 'tooLong'
      ? 'the result is longer than the caller takes'
      : 'the result has no form in the serializer of the caller';
  call.caller.sendError(MessageType.call, call.request, uri, text);
}

export function describeRegistration(registration: Registration<Session>): Dict {
  const { id, createdMicros, uri, match, invoke } = registration;
  return { id, created: new Date(createdMicros / 1000).toISOString(), uri, match, invoke };
}
