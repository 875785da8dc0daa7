import type * as Y from 'yjs';

import { type Clock, systemClock, type Timer } from '../../../base/clock.js';
import { type AwarenessEntry, decodeAwareness, encodeAwareness } from '../messages/awareness.js';

/** What a client shows of itself: a name, a colour, where its cursor is. JSON. */
export type AwarenessState = Readonly<Record<string, unknown>>;

/** Whose state came, is another one, or went. */
export interface AwarenessChange {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/** @param origin 'local', 'timeout', or what was handed to `apply` and `remove`. */
export type AwarenessListener = (change: AwarenessChange, origin: unknown) => void;

interface Known {
  clock: number;
  /** `null` when the client is gone: kept for a while, that a message that is late does not bring it back. */
  json: string;
  seenMs: number;
  /** Its connection was lost: it has not said itself that it is gone, and may come back with what it said last. */
  readonly isLost: boolean;
}

// y-protocols: who was not heard of for 30 s is gone, so everybody says every 15 s that he is there.
const TIMEOUT_MS = 30_000;
const RENEW_MS = TIMEOUT_MS / 2;
const CHECK_MS = TIMEOUT_MS / 10;
const GONE = 'null';

/**
 * Who is present in a room, and what they show: what y-protocols calls awareness, with the same bytes and names, so that editor
 * bindings take it. Nothing is stored of it. One difference: a client shows nothing until it sets something.
 *
 * @example
 * client.awareness.setLocalStateField('user', { name: 'Ada', color: '#30bced' });
 * client.awareness.on('change', () => show([...client.awareness.getStates().values()]));
 */
export class Awareness {
  readonly doc: Y.Doc;
  readonly clientID: number;
  readonly #clock: Clock;
  readonly #known = new Map<number, Known>();
  readonly #states = new Map<number, AwarenessState>();
  readonly #listeners = { change: new Set<AwarenessListener>(), update: new Set<AwarenessListener>() };
  #timer: Timer | undefined;

  constructor(doc: Y.Doc, clock: Clock = systemClock) {
    this.doc = doc;
    this.clientID = doc.clientID;
    this.#clock = clock;
  }

  /** `change`: somebody shows something else. `update`: also when he only says that he is still there. */
  on(event: 'change' | 'update', listener: AwarenessListener): void {
    this.#listeners[event].add(listener);
  }

  off(event: 'change' | 'update', listener: AwarenessListener): void {
    this.#listeners[event].delete(listener);
  }

  /** By client id, this one's included. */
  getStates(): ReadonlyMap<number, AwarenessState> {
    return this.#states;
  }

  getLocalState(): AwarenessState | null {
    return this.#states.get(this.clientID) ?? null;
  }

  /** Shows something else to everybody; `null` is to leave. */
  setLocalState(state: AwarenessState | null): void {
    const clock = later(this.#known.get(this.clientID)?.clock ?? 0, 1);
    this.#take([{ clientId: this.clientID, clock, json: JSON.stringify(state) }], 'local');
  }

  /** Does nothing for who has left. */
  setLocalStateField(field: string, value: unknown): void {
    if (this.#known.get(this.clientID)?.json === GONE) return;
    this.setLocalState({ ...this.getLocalState(), [field]: value });
  }

  /** Says again what is shown: to a room that was told `steps` changes ago, or by itself, that this client is gone. */
  renew(steps = 1): void {
    const own = this.#known.get(this.clientID);
    if (own === undefined || own.json === GONE) return;
    this.#take([{ clientId: this.clientID, clock: later(own.clock, steps), json: own.json }], 'local');
  }

  /** The bytes that tell others of these clients; of those that are unknown, nothing. */
  encode(clientIds: Iterable<number> = this.#states.keys()): Uint8Array {
    const entries: AwarenessEntry[] = [];
    for (const clientId of clientIds) {
      const known = this.#known.get(clientId);
      if (known !== undefined) entries.push({ clientId, clock: known.clock, json: known.json });
    }
    return encodeAwareness(entries);
  }

  /** Takes what others say. Gives the clients that are present by it. Throws WireError. */
  apply(update: Uint8Array, origin: unknown): number[] {
    const others: AwarenessEntry[] = [];
    for (const entry of decodeAwareness(update)) {
      if (entry.clientId === this.clientID) this.#hearOfOneself(entry);
      else others.push(entry);
    }
    return this.#take(others, origin);
  }

  /** These are gone: their connection has ended. */
  remove(clientIds: Iterable<number>, origin: unknown): void {
    const removed = [...clientIds].filter((clientId) => this.#states.delete(clientId));
    const seenMs = this.#clock.monotonicMs();
    for (const clientId of removed)
      this.#known.set(clientId, { ...this.#known.get(clientId)!, json: GONE, seenMs, isLost: true });
    for (const event of ['change', 'update'] as const)
      this.#tell(event, { added: [], updated: [], removed }, origin);
  }

  /** Ends its timer. */
  destroy(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Nobody else decides what this client shows. A room that thinks it gone is told otherwise; to answer more would never end. */
  #hearOfOneself({ clock, json }: AwarenessEntry): void {
    const own = this.#known.get(this.clientID);
    if (own === undefined || clock < own.clock) return;
    own.clock = clock;
    if (json === GONE) this.renew();
  }

  #take(entries: readonly AwarenessEntry[], origin: unknown): number[] {
    const update: AwarenessChange = { added: [], updated: [], removed: [] };
    const change: AwarenessChange = { ...update, updated: [] };
    for (const { clientId, clock, json } of entries) {
      const before = this.#known.get(clientId);
      const isPresent = this.#states.has(clientId);
      // Of the same clock: that somebody has gone, or is back.
      const isTurn = json === GONE ? isPresent : before?.isLost === true;
      if (before !== undefined && (clock < before.clock || (clock === before.clock && !isTurn))) continue;
      this.#known.set(clientId, { clock, json, seenMs: this.#clock.monotonicMs(), isLost: false });
      if (json === GONE) {
        if (this.#states.delete(clientId)) update.removed.push(clientId);
        continue;
      }
      if (before?.json !== json) this.#states.set(clientId, JSON.parse(json) as AwarenessState);
      if (!isPresent) update.added.push(clientId);
      else update.updated.push(clientId);
      if (isPresent && before?.json !== json) change.updated.push(clientId);
    }
    this.#tell('change', change, origin);
    this.#tell('update', update, origin);
    this.#checkLater();
    return [...update.added, ...update.updated];
  }

  #tell(event: 'change' | 'update', change: AwarenessChange, origin: unknown): void {
    if (change.added.length + change.updated.length + change.removed.length === 0) return;
    for (const listener of this.#listeners[event]) listener(change, origin);
  }

  #checkLater(): void {
    // Of who has left oneself, nothing has to be said or forgotten.
    const count = this.#known.size - (this.#known.get(this.clientID)?.json === GONE ? 1 : 0);
    if (count === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.startTimer(CHECK_MS, () => {
      this.#timer = undefined;
      this.#check();
      this.#checkLater();
    });
  }

  #check(): void {
    const nowMs = this.#clock.monotonicMs();
    const silent: number[] = [];
    for (const [clientId, { json, seenMs }] of this.#known) {
      const silentMs = nowMs - seenMs;
      if (clientId === this.clientID) {
        if (silentMs >= RENEW_MS) this.renew();
      } else if (silentMs >= TIMEOUT_MS) {
        if (json === GONE) this.#known.delete(clientId);
        else silent.push(clientId);
      }
    }
    this.remove(silent, 'timeout');
  }
}

/** Clocks of others may be at the end of the numbers. y-protocols takes nothing of clock 0 from who is unknown: the first is 1. */
function later(clock: number, steps: number): number {
  return Math.min(clock + steps, Number.MAX_SAFE_INTEGER);
}
