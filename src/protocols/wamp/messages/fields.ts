import { assertNever } from '../../../base/assert.js';
import { ID_MAX } from './ids.js';
import { type Dict, type Message, MessageType, messageName } from './message.js';
import { MessageError } from './message-error.js';
import { Payload } from './payload.js';

/*
 * Between a message and the elements of its array, without the payload. The layout table is in message.ts.
 */

/** How many elements a message has before its payload, by code; 0 for codes that no message has. */
const HEAD_COUNTS: Readonly<Record<number, number>> = {
  1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 8: 5, 16: 4, 17: 3, 32: 4, 33: 3, 34: 3, 35: 2, 36: 4,
  48: 4, 49: 3, 50: 3, 64: 4, 65: 3, 66: 3, 67: 2, 68: 4, 69: 3, 70: 3, 337: 2,
}; // prettier-ignore

const HAS_PAYLOAD: ReadonlySet<number> = new Set([3, 8, 16, 36, 48, 50, 68, 70]);

/** Elements before the payload. Throws for what is no code. */
export function headCount(type: unknown): number {
  const count = typeof type === 'number' ? HEAD_COUNTS[type] : undefined;
  if (count === undefined) {
    throw typeof type === 'number'
      ? new MessageError('UNKNOWN_TYPE', `no message has the code ${type}`)
      : new MessageError('BAD_FIELD', 'a message begins with its code, a number');
  }
  return count;
}

export function hasPayload(type: number): boolean {
  return HAS_PAYLOAD.has(type);
}

/** How many elements may follow the head: payload, or the details of a revocation. */
export function checkTailCount(type: number, count: number): asserts count is 0 | 1 | 2 {
  const isRevocation = type === MessageType.unsubscribed || type === MessageType.unregistered;
  const most = HAS_PAYLOAD.has(type) ? 2 : isRevocation ? 1 : 0;
  if (count < 0) throw new MessageError('BAD_FIELD', `${messageName(type)} has too few elements`);
  if (count > most) throw new MessageError('BAD_FIELD', `${messageName(type)} has too many elements`);
}

function bad(type: number, field: string, want: string): never {
  throw new MessageError('BAD_FIELD', `${messageName(type)}.${field} is not ${want}`);
}

function id(type: number, field: string, value: unknown, least = 1): number {
  if (typeof value === 'number' && value >= least && value <= ID_MAX && Number.isInteger(value)) return value;
  return bad(type, field, 'an id');
}

function text(type: number, field: string, value: unknown): string {
  return typeof value === 'string' ? value : bad(type, field, 'a string');
}

/** Whether `value` is what a serializer makes of a dict. */
export function isDict(value: unknown): value is Dict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function dict(type: number, field: string, value: unknown): Dict {
  return isDict(value) ? value : bad(type, field, 'a dict');
}

/** The args and kwargs of a payload that was decoded. */
export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) throw new MessageError('BAD_FIELD', 'args is not a list');
  if (kwargs !== undefined && !isDict(kwargs)) throw new MessageError('BAD_FIELD', 'kwargs is not a dict');
}

/** A message from its elements, `[code, ...]`. Throws BAD_FIELD for what has the wrong type. */
export function messageFromFields(fields: readonly unknown[], payload: Payload): Message {
  const type = fields[0] as MessageType;
  const [, a, b, c] = fields;
  switch (type) {
    case MessageType.call:
      return {
        type,
        request: id(type, 'request', a),
        options: dict(type, 'options', b),
        procedure: text(type, 'procedure', c),
        payload,
      };
    case MessageType.yield:
      return { type, request: id(type, 'request', a), options: dict(type, 'options', b), payload };
    case MessageType.publish:
      return {
        type,
        request: id(type, 'request', a),
        options: dict(type, 'options', b),
        topic: text(type, 'topic', c),
        payload,
      };
    case MessageType.event:
      return {
        type,
        subscription: id(type, 'subscription', a),
        publication: id(type, 'publication', b),
        details: dict(type, 'details', c),
        payload,
      };
    case MessageType.result:
      return { type, request: id(type, 'request', a), details: dict(type, 'details', b), payload };
    case MessageType.invocation:
      return {
        type,
        request: id(type, 'request', a),
        registration: id(type, 'registration', b),
        details: dict(type, 'details', c),
        payload,
      };
    case MessageType.error:
      return {
        type,
        requestType: Number.isInteger(a) ? (a as number) : bad(type, 'requestType', 'an integer'),
        request: id(type, 'request', b),
        details: dict(type, 'details', c),
        error: text(type, 'error', fields[4]),
        payload,
      };
    case MessageType.published:
      return { type, request: id(type, 'request', a), publication: id(type, 'publication', b) };
    case MessageType.subscribe:
      return {
        type,
        request: id(type, 'request', a),
        options: dict(type, 'options', b),
        topic: text(type, 'topic', c),
      };
    case MessageType.subscribed:
      return { type, request: id(type, 'request', a), subscription: id(type, 'subscription', b) };
    case MessageType.unsubscribe:
      return { type, request: id(type, 'request', a), subscription: id(type, 'subscription', b) };
    case MessageType.unsubscribed:
    case MessageType.unregistered: {
      const request = id(type, 'request', a, 0);
      return b === undefined ? { type, request } : { type, request, details: dict(type, 'details', b) };
    }
    case MessageType.cancel:
    case MessageType.interrupt:
      return { type, request: id(type, 'request', a), options: dict(type, 'options', b) };
    case MessageType.register:
      return {
        type,
        request: id(type, 'request', a),
        options: dict(type, 'options', b),
        procedure: text(type, 'procedure', c),
      };
    case MessageType.registered:
      return { type, request: id(type, 'request', a), registration: id(type, 'registration', b) };
    case MessageType.unregister:
      return { type, request: id(type, 'request', a), registration: id(type, 'registration', b) };
    case MessageType.hello:
      return { type, realm: text(type, 'realm', a), details: dict(type, 'details', b) };
    case MessageType.welcome:
      return { type, session: id(type, 'session', a), details: dict(type, 'details', b) };
    case MessageType.abort:
      return { type, details: dict(type, 'details', a), reason: text(type, 'reason', b), payload };
    case MessageType.challenge:
      return { type, method: text(type, 'method', a), extra: dict(type, 'extra', b) };
    case MessageType.authenticate:
      return { type, signature: text(type, 'signature', a), extra: dict(type, 'extra', b) };
    case MessageType.goodbye:
      return { type, details: dict(type, 'details', a), reason: text(type, 'reason', b) };
    case MessageType.eventReceived:
      return { type, publication: id(type, 'publication', a) };
    default:
      throw new MessageError('UNKNOWN_TYPE', `no message has the code ${String(type)}`);
  }
}

/** The elements of a message, without its payload. */
export function fieldsOf(message: Message): readonly unknown[] {
  const m = message;
  switch (m.type) {
    case MessageType.invocation:
      return [m.type, m.request, m.registration, m.details];
    case MessageType.result:
      return [m.type, m.request, m.details];
    case MessageType.event:
      return [m.type, m.subscription, m.publication, m.details];
    case MessageType.call:
    case MessageType.register:
      return [m.type, m.request, m.options, m.procedure];
    case MessageType.publish:
    case MessageType.subscribe:
      return [m.type, m.request, m.options, m.topic];
    case MessageType.yield:
    case MessageType.cancel:
    case MessageType.interrupt:
      return [m.type, m.request, m.options];
    case MessageType.published:
      return [m.type, m.request, m.publication];
    case MessageType.error:
      return [m.type, m.requestType, m.request, m.details, m.error];
    case MessageType.subscribed:
    case MessageType.unsubscribe:
      return [m.type, m.request, m.subscription];
    case MessageType.registered:
    case MessageType.unregister:
      return [m.type, m.request, m.registration];
    case MessageType.unsubscribed:
    case MessageType.unregistered:
      return m.details === undefined ? [m.type, m.request] : [m.type, m.request, m.details];
    case MessageType.hello:
      return [m.type, m.realm, m.details];
    case MessageType.welcome:
      return [m.type, m.session, m.details];
    case MessageType.abort:
    case MessageType.goodbye:
      return [m.type, m.details, m.reason];
    case MessageType.challenge:
      return [m.type, m.method, m.extra];
    case MessageType.authenticate:
      return [m.type, m.signature, m.extra];
    case MessageType.eventReceived:
      return [m.type, m.publication];
    default:
      return assertNever(m, 'message');
  }
}

/** The payload of a message; empty for messages that have none. */
export function payloadOf(message: Message): Payload {
  return 'payload' in message ? message.payload : Payload.empty;
}
