import {
  type Call,
  type Cancel,
  type Dict,
  type ErrorMessage,
  MessageType,
  type Yield,
} from '../messages/message.js';
import { type Payload, roughBytesOf } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import { CallInFlight } from './call.js';
import { copyPassthru } from './check-options.js';
import { Invoker, isEmpty, NO_DETAILS } from './invoker.js';
import type { Authorization } from './options.js';
import type { Realm } from './realm.js';
import { Refusal, Violation } from './refusal.js';
import type { Session } from './session.js';

/** Calls of a realm, from CALL to the final answer. Who serves what is the registrar's business. */
export class Dealer {
  readonly #realm: Realm;
  readonly #invoker: Invoker;

  constructor(realm: Realm) {
    this.#realm = realm;
    this.#invoker = new Invoker(realm);
  }

  /** A CALL of so many octets. */
  call(session: Session, message: Call, bytes: number, isContinuation: boolean): void | Promise<void> {
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
    if (answer instanceof Promise) {
      return answer.then((decided) => this.#call(session, message, bytes, decided));
    }
    return this.#call(session, message, bytes, answer);
  }

  #call(session: Session, message: Call, bytes: number, authorization: Authorization): void {
    const { request, options, procedure } = message;
    // The authorizer may have taken its time.
    if (!session.isOpen) return;
    const meta = this.#realm.metaProcedures.get(procedure);
    if (meta !== undefined) {
      const payload = meta(session, message.payload.args, message.payload.kwargs);
      session.output.send({ type: MessageType.result, request, details: NO_DETAILS, payload });
      return;
    }
    const registration = this.#realm.registrar.table.index.findBest(procedure);
    if (registration === undefined) throw new Refusal(Uris.noSuchProcedure);
    if (session.calls.size >= this.#realm.services.limits.callsInFlight) {
      throw new Refusal(Uris.unavailable, 'too many calls under way');
    }
    const server = this.#invoker.choose(registration, options, undefined);
    if (server === undefined) throw new Refusal(Uris.noAvailableCallee);
    const call = new CallInFlight(
      session,
      request,
      procedure,
      registration,
      server,
      options,
      authorization,
      this.#onTimeout,
    );
    call.isOpenEnded = options['progress'] === true;
    this.#keep(call, message, bytes);
    this.#invoker.invoke(call, message.payload);
    session.calls.set(request, call);
    session.callBytes += call.keptBytes;
    const timeoutMs = options['timeout'] as number | undefined;
    if (timeoutMs !== undefined && timeoutMs > 0 && !this.#invoker.isTimeoutForwarded(call)) {
      call.timeoutMs = timeoutMs;
      this.#realm.services.wheel.schedule(call, timeoutMs);
    }
  }

  /** What stays of the message while the call is under way. Throws Refusal when the caller's calls keep too much. */
  #keep(call: CallInFlight, { options, payload }: Call, bytes: number): void {
    const { caller, callee, registration } = call;
    const leftBytes = this.#realm.services.limits.callBytes - caller.callBytes;
    call.keptBytes = (isEmpty(options) ? 0 : roughBytesOf(options)) + (callee.isResident ? bytes : 0);
    if (call.keptBytes > leftBytes)
      throw new Refusal(Uris.unavailable, 'too much is kept of calls under way');
    const isForOthers = registration.servers.length > 1 && !call.isOpenEnded;
    // Without the arguments no other callee is tried.
    if (!isForOthers || call.keptBytes + bytes > leftBytes) return;
    call.payload = payload;
    call.keptBytes += bytes;
  }

  /** The next chunk of a call: same callee, same invocation, the options of the first one. */
  #continue(call: CallInFlight, { options, payload }: Call): void {
    if (!call.isOpenEnded) throw new Violation(`the call ${call.request} is under way`);
    call.isOpenEnded = options['progress'] === true;
    try {
      this.#invoker.invokeAgain(call, payload);
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
    // A callee that waits for more arguments has to hear that there are none.
    const wanted = asked === 'skip' && call.isOpenEnded ? 'killnowait' : asked;
    const mode = call.callee.features.canCancel('callee') ? wanted : 'skip';
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
    if (options['ppt_scheme'] !== undefined && !this.#passThrough(call, options, details)) return;
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
    if (message.error === Uris.unavailable && this.#reroute(call)) return;
    const details: Record<string, unknown> = {};
    const isPassedThrough = message.details['ppt_scheme'] !== undefined;
    if (isPassedThrough && !this.#passThrough(call, message.details, details)) return;
    this.#answer(call, () => {
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

  /** Describes a passed-through answer in `to`; or ends the call, if the caller could not read it. Whether it goes on. */
  #passThrough(call: CallInFlight, from: Dict, to: Record<string, unknown>): boolean {
    if (!call.callee.features.has('callee', 'payload_passthru_mode')) {
      throw new Violation('payload passthru was not announced by the callee');
    }
    copyPassthru(from, to);
    if (call.caller.features.has('caller', 'payload_passthru_mode')) return true;
    this.#interrupt(call, 'killnowait');
    this.#fail(call, Uris.featureNotSupported, 'the caller takes no payload passthru');
    return false;
  }

  /** Gives the call to the next callee. Whether there was one. */
  #reroute(call: CallInFlight): boolean {
    // Who was canceled is not tried elsewhere.
    if (call.payload === undefined || call.isDone || call.isKilled) return false;
    (call.tried ??= new Set()).add(call.callee);
    const next = this.#invoker.choose(call.registration, call.options, call.tried);
    if (next === undefined) {
      this.#answer(call, () => call.caller.sendError(MessageType.call, call.request, Uris.noAvailableCallee));
      return true;
    }
    call.server = next;
    call.callee = next.member;
    try {
      this.#invoker.invoke(call, call.payload);
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
    call.caller.callBytes -= call.keptBytes;
    this.#realm.services.wheel.cancel(call);
    call.caller.calls.delete(call.request);
    send();
  }

  /** The callee's side is over. */
  #release(call: CallInFlight): void {
    if (call.callee.invocations.delete(call.invocation)) call.server.inFlight--;
  }

  leave(session: Session): void {
    for (const call of session.calls.values()) {
      this.#interrupt(call, 'killnowait', Uris.canceled);
      this.#release(call);
      this.#answer(call, () => {});
    }
    for (const call of session.invocations.values()) {
      this.#fail(call, Uris.canceled, 'the callee has gone');
    }
  }
}

function sendUndeliverable(call: CallInFlight, why: 'tooLong' | 'unencodable'): void {
  const uri = why === 'tooLong' ? Uris.payloadSizeExceeded : Uris.invalidArgument;
  const text =
    why === 'tooLong'
      ? 'the result is longer than the caller takes'
      : 'the result has no form in the serializer of the caller';
  call.caller.sendError(MessageType.call, call.request, uri, text);
}
