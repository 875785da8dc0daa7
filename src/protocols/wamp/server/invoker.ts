import type { Registration, Server } from '../../../hub/registration-table.js';
import { type Dict, MessageType } from '../messages/message.js';
import type { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import type { CallInFlight } from './call.js';
import { copyPassthru, definedOf } from './check-options.js';
import type { Realm } from './realm.js';
import { Refusal } from './refusal.js';
import type { Session } from './session.js';

export const NO_DETAILS: Dict = Object.freeze({});

/** From a call to a callee: who takes it, what he is told, and the INVOCATION that tells it. */
export class Invoker {
  readonly #realm: Realm;

  constructor(realm: Realm) {
    this.#realm = realm;
  }

  /** A server that can take the call, by key or by the policy of the registration. */
  choose(
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
  invoke(call: CallInFlight, payload: Payload): void {
    const { callee, options } = call;
    if (options['progress'] === true && !canStream(callee)) {
      throw new Refusal(Uris.featureNotSupported, 'the callee takes no progressive invocations');
    }
    if (options['ppt_scheme'] !== undefined && !callee.features.has('callee', 'payload_passthru_mode')) {
      throw new Refusal(Uris.featureNotSupported, 'the callee takes no payload passthru');
    }
    const details = this.#detailsFor(call);
    const request = callee.invocationIds.next();
    send(call, request, details, payload);
    call.invocation = request;
    callee.lastInvocation = request;
    callee.invocations.set(request, call);
    call.server.inFlight++;
  }

  /** Sends the next chunk of a call. Throws Refusal when the callee cannot take it. */
  invokeAgain(call: CallInFlight, payload: Payload): void {
    const details: Record<string, unknown> = call.isOpenEnded ? { progress: true } : {};
    copyPassthru(call.options, details);
    const { queueBytes } = this.#realm.services.limits;
    if (call.callee.output.queuedBytes > queueBytes || call.caller.inputBytes > queueBytes) {
      throw new Refusal(Uris.networkFailure, 'the callee reads too slowly');
    }
    send(call, call.invocation, details, payload);
  }

  /** Whether the callee watches the time, and not we. */
  isTimeoutForwarded({ server, callee, options }: CallInFlight): boolean {
    const timeoutMs = options['timeout'] as number | undefined;
    return (
      timeoutMs !== undefined &&
      timeoutMs > 0 &&
      server.forwardTimeout &&
      callee.features.has('callee', 'call_timeout')
    );
  }

  #detailsFor(call: CallInFlight): Dict {
    const { options, callee, caller, server, registration, authorization } = call;
    const isAsked = options['disclose_me'] === true;
    const isDisclosed = this.#realm.isDisclosed('caller', isAsked, authorization) || server.disclose;
    const isPlain = registration.match === 'exact' && !isDisclosed && authorization.trustLevel === undefined;
    if (isPlain && isEmpty(options)) return NO_DETAILS;
    const details: Record<string, unknown> = definedOf({
      procedure: registration.match === 'exact' ? undefined : call.procedure,
      trustlevel: authorization.trustLevel,
      progress: options['progress'] === true ? true : undefined,
      timeout: this.isTimeoutForwarded(call) ? options['timeout'] : undefined,
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
}

function send(call: CallInFlight, request: number, details: Dict, payload: Payload): void {
  const type = MessageType.invocation;
  const registration = call.registration.id;
  const sending = call.callee.output.send({ type, request, registration, details, payload });
  if (sending === 'tooLong') throw new Refusal(Uris.payloadSizeExceeded, 'longer than the callee takes');
  if (sending === 'unencodable') {
    throw new Refusal(Uris.invalidArgument, 'an argument has no form in the serializer of the callee');
  }
}

function canStream({ features }: Session): boolean {
  return features.has('callee', 'progressive_call_invocations') && features.canCancel('callee');
}

export function isEmpty(options: Dict): boolean {
  for (const _key in options) return false;
  return true;
}
