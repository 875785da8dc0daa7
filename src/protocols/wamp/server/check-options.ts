import { isId } from '../messages/ids.js';
import { isDict } from '../messages/fields.js';
import { type Dict, messageName, MessageType } from '../messages/message.js';
import { Violation } from './refusal.js';

type Check = (value: unknown) => boolean;

const bool: Check = (value) => typeof value === 'boolean';
const string: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const positive: Check = (value) => Number.isInteger(value) && (value as number) >= 1;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const oneOf =
  (...names: string[]): Check =>
  (value) =>
    names.includes(value as string);

const forwardFor = listOf(
  (value) =>
    isDict(value) &&
    isId(value['session']) &&
    (value['authid'] === null || string(value['authid'])) &&
    string(value['authrole']),
);
const passthru = { ppt_scheme: string, ppt_serializer: string, ppt_cipher: string, ppt_keyid: string };
const match = oneOf('exact', 'prefix', 'wildcard');

/** What the values of known options have to be. Unknown options are ignored, as the specification demands. */
const CHECKS: Readonly<Record<number, Readonly<Record<string, Check>>>> = {
  [MessageType.publish]: {
    acknowledge: bool,
    exclude_me: bool,
    disclose_me: bool,
    exclude: listOf(isId),
    exclude_authid: listOf(string),
    exclude_authrole: listOf(string),
    eligible: listOf(isId),
    eligible_authid: listOf(string),
    eligible_authrole: listOf(string),
    retain: bool,
    rkey: string,
    transaction_hash: string,
    forward_for: forwardFor,
    ...passthru,
  },
  [MessageType.subscribe]: { match, nkey: string, get_retained: bool, forward_for: forwardFor },
  [MessageType.call]: {
    timeout: count,
    receive_progress: bool,
    progress: bool,
    disclose_me: bool,
    rkey: string,
    runmode: oneOf('partition'),
    forward_for: forwardFor,
    ...passthru,
  },
  [MessageType.register]: {
    match,
    invoke: oneOf('single', 'roundrobin', 'random', 'first', 'last'),
    concurrency: positive,
    disclose_caller: bool,
    force_reregister: bool,
    forward_timeout: bool,
    nkey: string,
    forward_for: forwardFor,
  },
  [MessageType.cancel]: { mode: oneOf('skip', 'kill', 'killnowait') },
  [MessageType.yield]: { progress: bool, ...passthru },
};

/**
 * Throws Violation for a known option whose value has the wrong type. Null is no value and is taken out: wampy 8 writes it
 * for what it was not given, in msgpack and cbor.
 */
export function checkOptions(type: number, options: Dict): void {
  for (const key in options) {
    const check = CHECKS[type]?.[key];
    if (options[key] === null) delete (options as Record<string, unknown>)[key];
    else if (check !== undefined && !check(options[key])) {
      throw new Violation(`${messageName(type)}.Options.${key} has a value of the wrong type`);
    }
  }
}

/** A dict without its undefined entries: what goes on the wire. */
export function definedOf(entries: Record<string, unknown>): Dict {
  for (const key in entries) if (entries[key] === undefined) delete entries[key];
  return entries;
}

const PPT_KEYS = ['ppt_scheme', 'ppt_serializer', 'ppt_cipher', 'ppt_keyid'] as const;

/** Copies what a passed-through payload says of itself. */
export function copyPassthru(from: Dict, to: Record<string, unknown>): void {
  if (from['ppt_scheme'] === undefined) return;
  for (const key of PPT_KEYS) if (from[key] !== undefined) to[key] = from[key];
}
