import { assertNever } from '../../../../base/assert.js';
import { encodeHex } from '../../../../base/hex.js';
import { WireError } from '../../../../base/wire-error.js';
import { arrayType, primitiveType, productType, sumType } from '../../../../values/algebraic-type.js';
import { valueFromJson } from '../../../../values/sats-json/decode-json.js';
import { parseJson } from '../../../../values/sats-json/parse-json.js';
import type { ClientMessage } from './client-messages.js';

/*
 * ClientMessage of `v1.json`: client -> server, one JSON text in each text message. SATS-JSON of the messages of
 * client-messages.ts, named as the reference server names them:
 *
 * | message          | JSON                                                                                   |
 * | CallReducer      | {"CallReducer":{"reducer":str,"args":str,"request_id":u32,"flags":0|1}}                |
 * | Subscribe        | {"Subscribe":{"query_strings":[str],"request_id":u32}}                                 |
 * | OneOffQuery      | {"OneOffQuery":{"message_id":hex text or [u8],"query_string":str}}                     |
 * | SubscribeSingle  | {"SubscribeSingle":{"query":str,"request_id":u32,"query_id":{"id":u32}}}               |
 * | SubscribeMulti   | {"SubscribeMulti":{"query_strings":[str],"request_id":u32,"query_id":{"id":u32}}}      |
 * | Unsubscribe      | {"Unsubscribe":{"request_id":u32,"query_id":{"id":u32}}}                               |
 * | UnsubscribeMulti | {"UnsubscribeMulti":{"request_id":u32,"query_id":{"id":u32}}}                          |
 * | CallProcedure    | {"CallProcedure":{"procedure":str,"args":str,"request_id":u32,"flags":0}}              |
 *
 * args is a text that holds JSON: the arguments in order, or by name.
 */

const text = primitiveType('string');
const texts = arrayType(text);
const u32 = primitiveType('u32');
const u8 = primitiveType('u8');
const queryId = productType({ id: u32 });
const ids = { request_id: u32, query_id: queryId };

const MESSAGE_TYPE = sumType({
  CallReducer: productType({ reducer: text, args: text, request_id: u32, flags: u8 }),
  Subscribe: productType({ query_strings: texts, request_id: u32 }),
  OneOffQuery: productType({ message_id: arrayType(u8), query_string: text }),
  SubscribeSingle: productType({ query: text, ...ids }),
  SubscribeMulti: productType({ query_strings: texts, ...ids }),
  Unsubscribe: productType(ids),
  UnsubscribeMulti: productType(ids),
  CallProcedure: productType({ procedure: text, args: text, request_id: u32, flags: u8 }),
});

/** What MESSAGE_TYPE makes of a message. */
interface Ids {
  readonly request_id: number;
  readonly query_id: { readonly id: number };
}
interface Call {
  readonly args: string;
  readonly request_id: number;
  readonly flags: number;
}
type Decoded =
  | { readonly tag: 'CallReducer'; readonly value: Call & { readonly reducer: string } }
  | {
      readonly tag: 'Subscribe';
      readonly value: { readonly query_strings: readonly string[]; readonly request_id: number };
    }
  | {
      readonly tag: 'OneOffQuery';
      readonly value: { readonly message_id: Uint8Array; readonly query_string: string };
    }
  | { readonly tag: 'SubscribeSingle'; readonly value: Ids & { readonly query: string } }
  | { readonly tag: 'SubscribeMulti'; readonly value: Ids & { readonly query_strings: readonly string[] } }
  | { readonly tag: 'Unsubscribe' | 'UnsubscribeMulti'; readonly value: Ids }
  | { readonly tag: 'CallProcedure'; readonly value: Call & { readonly procedure: string } };

/** Reads one message. Throws WireError on anything that is not one. */
export function decodeJsonClientMessage(json: string): ClientMessage<string> {
  const { tag, value } = valueFromJson(MESSAGE_TYPE, parseJson(json)) as Decoded;
  switch (tag) {
    case 'CallReducer': {
      const { reducer, args, request_id: requestId, flags } = value;
      checkFlags(flags, 1);
      return { kind: 'callReducer', reducer, args, requestId, noSuccessNotify: flags === 1 };
    }
    case 'Subscribe':
      return { kind: 'subscribe', queries: value.query_strings, requestId: value.request_id };
    case 'OneOffQuery':
      return { kind: 'oneOffQuery', messageId: value.message_id, query: value.query_string };
    case 'SubscribeSingle':
      return { kind: 'subscribeSingle', query: value.query, ...idsOf(value) };
    case 'SubscribeMulti':
      return { kind: 'subscribeMulti', queries: value.query_strings, ...idsOf(value) };
    case 'Unsubscribe':
      return { kind: 'unsubscribe', ...idsOf(value) };
    case 'UnsubscribeMulti':
      return { kind: 'unsubscribeMulti', ...idsOf(value) };
    case 'CallProcedure': {
      const { procedure, args, request_id: requestId, flags } = value;
      checkFlags(flags, 0);
      return { kind: 'callProcedure', procedure, args, requestId };
    }
    default:
      return assertNever(tag);
  }
}

function idsOf({ request_id: requestId, query_id }: Ids): {
  readonly requestId: number;
  readonly queryId: number;
} {
  return { requestId, queryId: query_id.id };
}

function checkFlags(flags: number, max: number): void {
  if (flags > max) throw new WireError('BAD_VALUE', `unknown flags ${flags} of a call`, { flags });
}

/** The text of a message: what a client says. */
export function encodeJsonClientMessage(message: ClientMessage<string>): string {
  const [name, fields] = toJson(message);
  return JSON.stringify({ [name]: fields });
}

function toJson(message: ClientMessage<string>): readonly [string, object] {
  switch (message.kind) {
    case 'callReducer': {
      const { reducer, args, requestId: request_id, noSuccessNotify } = message;
      return ['CallReducer', { reducer, args, request_id, flags: noSuccessNotify ? 1 : 0 }];
    }
    case 'subscribe':
      return ['Subscribe', { query_strings: message.queries, request_id: message.requestId }];
    case 'oneOffQuery':
      return ['OneOffQuery', { message_id: encodeHex(message.messageId), query_string: message.query }];
    case 'subscribeSingle':
      return ['SubscribeSingle', { query: message.query, ...jsonIds(message) }];
    case 'subscribeMulti':
      return ['SubscribeMulti', { query_strings: message.queries, ...jsonIds(message) }];
    case 'unsubscribe':
      return ['Unsubscribe', jsonIds(message)];
    case 'unsubscribeMulti':
      return ['UnsubscribeMulti', jsonIds(message)];
    case 'callProcedure': {
      const { procedure, args, requestId: request_id } = message;
      return ['CallProcedure', { procedure, args, request_id, flags: 0 }];
    }
    default:
      return assertNever(message);
  }
}

function jsonIds({ requestId, queryId }: { readonly requestId: number; readonly queryId: number }): Ids {
  return { request_id: requestId, query_id: { id: queryId } };
}
