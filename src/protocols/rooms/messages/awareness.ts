import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { WireError } from '../../../base/wire-error.js';

/*
 * An awareness update: varuint n, then n times
 * | client | varuint            | the Yjs client id                                  |
 * | clock  | varuint            | grows with every change of that client's state     |
 * | state  | varstring, JSON    | `null` when the client is gone                     |
 */

export interface AwarenessEntry {
  readonly clientId: number;
  readonly clock: number;
  /** As it was sent; the server never looks into it. */
  readonly json: string;
}

/** Throws WireError; @param entriesMax more are refused before they are read. */
export function decodeAwareness(bytes: Uint8Array, entriesMax = Infinity): AwarenessEntry[] {
  const reader = new VarReader(bytes);
  const count = reader.readVarUint();
  // An entry takes three bytes at least: a count that lies costs nothing.
  if (count > reader.remaining / 3 || count > entriesMax)
    throw new WireError('BAD_LENGTH', `an awareness update of ${count} entries`);
  const entries: AwarenessEntry[] = [];
  for (let i = 0; i < count; i++) {
    const clientId = reader.readVarUint();
    const clock = reader.readVarUint();
    entries.push({ clientId, clock, json: reader.readVarString() });
  }
  reader.expectEnd();
  for (const { json } of entries) checkJson(json);
  return entries;
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new WireError('BAD_VALUE', 'an awareness state is not JSON');
  }
}

export function encodeAwareness(entries: readonly AwarenessEntry[]): Uint8Array<ArrayBuffer> {
  const writer = new VarWriter().writeVarUint(entries.length);
  for (const { clientId, clock, json } of entries)
    writer.writeVarUint(clientId).writeVarUint(clock).writeVarString(json);
  return writer.finish();
}
