import { parseJson } from '../values/sats-json/parse-json.js';
import { CliError } from './cli-error.js';

/* Answers of servers are unknown until they were looked at: these look. */

/** The JSON of an answer. Integers of any size keep their digits: beyond 2^53 they are bigints. */
export function parseAnswer(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new CliError(`the server's answer is not JSON: ${text.slice(0, 80)}`, { cause });
  }
}

export type JsonRecord = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): JsonRecord {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw unexpected('an object', value);
}

export function asArray(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unexpected('a list', value);
}

export function asString(value: unknown): string {
  if (typeof value === 'string') return value;
  throw unexpected('text', value);
}

/** The value of `{"some": value}`, undefined for `{"none": []}`. */
export function asOption(value: unknown): unknown {
  const option = asRecord(value);
  return 'some' in option ? option['some'] : undefined;
}

/** Text or a number as text; `otherwise` when there is nothing. */
export function asText(value: unknown, otherwise: string | number): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : String(otherwise);
}

/** Name and payload of an enum in SATS-JSON: an object with one key. */
export function asVariant(value: unknown): readonly [name: string, payload: unknown] {
  const entries = Object.entries(asRecord(value));
  if (entries.length === 1 && entries[0] !== undefined) return entries[0];
  throw unexpected('an object with one key', value);
}

function unexpected(wanted: string, value: unknown): CliError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80);
  return new CliError(`the server's answer is not understood: expected ${wanted}, got ${shown}`);
}
