import { deriveIdentity } from '../values/derive-identity.js';
import type { Identity } from '../values/identity.js';
import type { Claims } from './claims.js';

/** What strangers are made of. */
export interface StrangerSource {
  readonly issuer: string;
  newSubject(): string;
  /** What would be signed about him, JSON. */
  strangerPayload(subject: string, identity: Identity, seenAtMicros: number): string;
}

/**
 * Somebody who came without a token: an identity that nobody had before, and claims as if he had a token that never expires. All of it is
 * made when somebody looks: most who come are never asked, and it costs a quarter of a WebSocket handshake.
 */
export class Stranger implements Claims {
  readonly #source: StrangerSource;
  readonly #seenAtMicros: number;
  #subject: string | undefined;
  #identity: Identity | undefined;
  #payload: string | undefined;

  constructor(source: StrangerSource, seenAtMicros: number) {
    this.#source = source;
    this.#seenAtMicros = seenAtMicros;
  }

  get issuer(): string {
    return this.#source.issuer;
  }

  get subject(): string {
    return (this.#subject ??= this.#source.newSubject());
  }

  get identity(): Identity {
    return (this.#identity ??= deriveIdentity(this.issuer, this.subject));
  }

  get payload(): string {
    return (this.#payload ??= this.#source.strangerPayload(this.subject, this.identity, this.#seenAtMicros));
  }

  get expiresAtMicros(): undefined {
    return undefined;
  }
}
