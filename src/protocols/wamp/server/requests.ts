import { isClientMessage, type Message, messageName, MessageType } from '../messages/message.js';
import { MessageError } from '../messages/message-error.js';
import { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import { checkOptions } from './check-options.js';
import type { Realm } from './realm.js';
import { Refusal, Violation } from './refusal.js';
import type { Session } from './session.js';

/* What a session asks for once it has joined. */

/** Requests that take an id of the session's sequence. */
const REQUESTS: ReadonlySet<number> = new Set([
  MessageType.publish,
  MessageType.subscribe,
  MessageType.unsubscribe,
  MessageType.call,
  MessageType.register,
  MessageType.unregister,
]);

/**
 * Carries out a message of so many octets, at once or when its authorization is decided. Throws (or rejects with) Refusal for what
 * is answered with ERROR, and Violation or MessageError for what ends the session.
 */
export function carryOut(
  realm: Realm,
  session: Session,
  message: Message,
  bytes: number,
): void | Promise<void> {
  if (bytes > realm.services.limits.messageBytesMax) return refuseSize(session, realm, message);
  if ('options' in message) checkOptions(message.type, message.options);
  const isContinuation = REQUESTS.has(message.type) && countRequest(session, realm, message);
  switch (message.type) {
    case MessageType.call:
      return realm.dealer.call(session, message, bytes, isContinuation);
    case MessageType.yield:
      return realm.dealer.yield(session, message);
    case MessageType.publish:
      return realm.broker.publish(session, message);
    case MessageType.subscribe:
      return realm.broker.subscribe(session, message);
    case MessageType.unsubscribe:
      return realm.broker.unsubscribe(session, message);
    case MessageType.register:
      return realm.registrar.register(session, message);
    case MessageType.unregister:
      return realm.registrar.unregister(session, message);
    case MessageType.cancel:
      return realm.dealer.cancel(session, message);
    case MessageType.error:
      if (message.requestType !== MessageType.invocation) {
        throw new Violation('a client answers only invocations with ERROR');
      }
      return realm.dealer.error(session, message);
    case MessageType.eventReceived:
      return undefined;
    default:
      throw new Violation(
        isClientMessage(message)
          ? `${messageName(message.type)} is not expected now`
          : `${messageName(message.type)} is for routers to send`,
      );
  }
}

/** Answers what `carryOut` threw. The text of the ABORT if the session has to end. */
export function answerFault(
  realm: Realm,
  session: Session,
  message: Message,
  error: unknown,
): string | undefined {
  // Payloads are decoded only where somebody looks into them.
  if (error instanceof Violation || error instanceof MessageError) return error.message;
  const refusal = error instanceof Refusal ? error : new Refusal(Uris.runtimeError, 'internal error');
  if (refusal !== error) realm.services.onError(error, messageName(message.type));
  // Publications without acknowledgement have no answer at all; neither have answers.
  if (message.type === MessageType.publish && message.options['acknowledge'] !== true) return undefined;
  if (!REQUESTS.has(message.type)) return undefined;
  session.sendError(message.type, requestOf(message), refusal.uri, refusal.message);
  return undefined;
}

/** Follows the sequence of request ids. Whether this one was there before. */
function countRequest(session: Session, realm: Realm, message: Message): boolean {
  const request = requestOf(message);
  const last = session.requestWatermark;
  if (request > last) session.requestWatermark = request;
  if (realm.options.strictIds === true && request !== last + 1) {
    // Further chunks of a call carry its id again.
    const isChunk = message.type === MessageType.call && request <= last;
    if (!isChunk) throw new Violation(`request ${request} follows ${last}`);
  }
  return request <= last;
}

function requestOf(message: Message): number {
  return (message as { readonly request: number }).request;
}

/** Answers a message that is too long as well as its kind can be answered. */
function refuseSize(session: Session, realm: Realm, message: Message): void {
  if (message.type === MessageType.yield || message.type === MessageType.error) {
    return realm.dealer.error(session, {
      type: MessageType.error,
      requestType: MessageType.invocation,
      request: message.request,
      details: {},
      error: Uris.payloadSizeExceeded,
      payload: Payload.of(['the result is too long']),
    });
  }
  throw new Refusal(Uris.payloadSizeExceeded, 'the message is too long');
}
