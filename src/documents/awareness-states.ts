/** One client's state as it travels; see the protocol's awareness update. */
export interface PresentClient {
  readonly clientId: number;
  readonly clock: number;
  /** JSON, or `null` when the client is gone. */
  readonly json: string;
}

interface Held {
  clock: number;
  json: string;
  owner: object;
  /** Whom the owner is; a state may move to another connection of the same. */
  ownerKey: string;
  renewedMs: number;
}

// y-protocols: who has not renewed his state for that long is gone.
export const AWARENESS_TIMEOUT_MS = 30_000;
// A tab has one; a socket that many tabs share has a few.
const CLIENTS_PER_OWNER_MAX = 16;
// A cursor, a name and a colour are 200 bytes; some applications put a selection of many ranges in.
const STATE_BYTES_MAX = 16 * 1024;

/** Who is present in one room. A state belongs to the connection that sent it first; others cannot change it. */
export class AwarenessStates {
  /** Undefined while nobody is. */
  #held: Map<number, Held> | undefined;

  get isEmpty(): boolean {
    return this.#held === undefined;
  }

  /** Takes what is news from its owner, and gives it back: that is what the others have to be told. */
  apply(entries: readonly PresentClient[], owner: object, ownerKey: string, nowMs: number): PresentClient[] {
    return entries.filter((entry) => this.#apply(entry, owner, ownerKey, nowMs));
  }

  #apply({ clientId, clock, json }: PresentClient, owner: object, ownerKey: string, nowMs: number): boolean {
    const held = this.#held?.get(clientId);
    const isGone = json === 'null';
    if (held === undefined) {
      if (isGone || json.length > STATE_BYTES_MAX || this.ownedBy(owner).length >= CLIENTS_PER_OWNER_MAX)
        return false;
      this.#held ??= new Map();
      this.#held.set(clientId, { clock, json, owner, ownerKey, renewedMs: nowMs });
      return true;
    }
    if (held.owner !== owner && held.ownerKey !== ownerKey) return false;
    const isNews = clock > held.clock || (clock === held.clock && isGone);
    if (!isNews || json.length > STATE_BYTES_MAX) return false;
    if (isGone) this.#forget(clientId);
    else Object.assign(held, { clock, json, owner, ownerKey, renewedMs: nowMs });
    return true;
  }

  ownedBy(owner: object): number[] {
    return [...(this.#held ?? [])].filter(([, held]) => held.owner === owner).map(([clientId]) => clientId);
  }

  /** Everybody who is present. */
  list(): PresentClient[] {
    return Array.from(this.#held ?? [], ([clientId, { clock, json }]) => ({ clientId, clock, json }));
  }

  /** The connection has ended: tells what has to be said of its clients. */
  removeOwner(owner: object): PresentClient[] {
    return this.#remove((held) => held.owner === owner);
  }

  /** Removes who has not renewed his state in time. */
  removeSilent(nowMs: number): PresentClient[] {
    return this.#remove((held) => nowMs - held.renewedMs >= AWARENESS_TIMEOUT_MS);
  }

  #remove(isMeant: (held: Held) => boolean): PresentClient[] {
    const gone: PresentClient[] = [];
    for (const [clientId, held] of this.#held ?? []) {
      if (!isMeant(held)) continue;
      this.#forget(clientId);
      // At the end of the numbers the same clock will do: `null` wins over a state of the same clock.
      gone.push({ clientId, clock: Math.min(held.clock + 1, Number.MAX_SAFE_INTEGER), json: 'null' });
    }
    return gone;
  }

  #forget(clientId: number): void {
    this.#held?.delete(clientId);
    if (this.#held?.size === 0) this.#held = undefined;
  }
}
