import type { Awareness, AwarenessChange } from './awareness.js';

/** Keeps who is present at both ends of a connection the same. */
export class PresenceLink {
  readonly #awareness: Awareness;
  readonly #send: (update: Uint8Array) => void;
  /** Clients that are present by this connection: the other side knows of them. */
  readonly #theirs = new Set<number>();

  constructor(awareness: Awareness, send: (update: Uint8Array) => void) {
    this.#awareness = awareness;
    this.#send = send;
  }

  attach(): void {
    this.#awareness.on('update', this.#onUpdate);
  }

  detach(): void {
    this.#awareness.off('update', this.#onUpdate);
  }

  /** Tells a new connection, or one that asks, who is here. */
  show(): void {
    const awareness = this.#awareness;
    const others = [...awareness.getStates().keys()].filter((id) => id !== awareness.clientID);
    this.#tell(others.filter((id) => !this.#theirs.has(id)));
    // Whoever was there has heard that this client is gone, one change later: only two changes later he is there again.
    awareness.renew(2);
  }

  receive(update: Uint8Array): void {
    for (const clientId of this.#awareness.apply(update, this)) this.#theirs.add(clientId);
  }

  /** The connection has ended, and with it everybody who was present by it. */
  lose(): void {
    this.#awareness.remove(this.#theirs, this);
    this.#theirs.clear();
  }

  readonly #onUpdate = ({ added, updated, removed }: AwarenessChange, origin: unknown): void => {
    if (origin !== this) this.#tell([...added, ...updated, ...removed]);
  };

  #tell(clientIds: readonly number[]): void {
    if (clientIds.length > 0) this.#send(this.#awareness.encode(clientIds));
  }
}
