import type { Dict } from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import type { PassThru } from './payload-passthru.js';

export type { Dict } from '../messages/message.js';

/* What is passed along with calls, results, events and errors: positional values, and named ones. */

export type Args = readonly unknown[];
export type Kwargs = Readonly<Record<string, unknown>>;

export interface Arguments {
  readonly args: Args;
  readonly kwargs: Kwargs;
}

export const NO_ARGS: Args = Object.freeze([]);
export const NO_KWARGS: Kwargs = Object.freeze({});

/** Leaves out keys without a value, and lays `overrides` over the rest: what the caller wrote by hand wins. */
export function definedOptions(options: Dict, overrides?: Dict): Dict {
  const defined: Record<string, unknown> = {};
  for (const key in options) if (options[key] !== undefined) defined[key] = options[key];
  return overrides === undefined ? defined : { ...defined, ...overrides };
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

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** What stands behind the options of a message. Empty named arguments are left out. */
export function encodePayload(
  args: Args,
  kwargs: Kwargs | undefined,
  passThru: PassThru | undefined,
): Payload {
  if (passThru !== undefined) return Payload.of([passThru.encode({ args, kwargs: kwargs ?? NO_KWARGS })]);
  for (const _ in kwargs) return Payload.of(args, kwargs);
  return Payload.of(args);
}
