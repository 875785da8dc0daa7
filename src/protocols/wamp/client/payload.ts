import { isDict } from '../messages/layouts.js';
import type { Dict } from './message.js';
import type { PassThru } from './payload-passthru.js';

export { isDict };
export type { Dict } from './message.js';

/* What is passed along with calls, results, events and errors: positional values, and named ones. */

export type Args = readonly unknown[];
export type Kwargs = Readonly<Record<string, unknown>>;

export interface Arguments {
  readonly args: Args;
  readonly kwargs: Kwargs;
}

export const NO_ARGS: Args = Object.freeze([]);
export const NO_KWARGS: Kwargs = Object.freeze({});
export const NO_PAYLOAD: Arguments = { args: NO_ARGS, kwargs: NO_KWARGS };

/** Leaves out keys without a value, for those who look at it; serializers leave them out themselves. */
export function definedOptions(options: Dict): Dict {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

export function numberIn(dict: Dict, key: string): number | undefined {
  const value = dict[key];
  return typeof value === 'number' ? value : undefined;
}

export function textIn(dict: Dict, key: string): string | undefined {
  const value = dict[key];
  return typeof value === 'string' ? value : undefined;
}

export function dictIn(dict: Dict, key: string): Dict {
  const value = dict[key];
  return isDict(value) ? value : NO_KWARGS;
}

/** What stands behind the options of a message. */
export function encodePayload(args: Args, kwargs?: Kwargs, passThru?: PassThru): Arguments {
  const payload = { args, kwargs: kwargs ?? NO_KWARGS };
  return passThru === undefined ? payload : { args: [passThru.encode(payload)], kwargs: NO_KWARGS };
}
