import type { RawPeer } from './raw-peer.js';

/** One write per turn carries what a turn has to say. */
export class Outbox {
  #texts: string[] = [];
  readonly #peer: RawPeer;

  constructor(peer: RawPeer) {
    this.#peer = peer;
  }

  push(text: string): void {
    if (this.#texts.length === 0) setImmediate(() => this.#flush());
    this.#texts.push(text);
  }

  #flush(): void {
    this.#peer.send(this.#texts);
    this.#texts = [];
  }
}
