import type { Random } from '../../base/random.js';
import type { Claims } from '../../identity/claims.js';
import type { Caller } from '../../module/module-def.js';
import { ConnectionId, type Identity } from '../../values/identity.js';

/** Whose session it is. Everything about him is made when somebody looks. */
export class SocketCaller implements Caller {
  readonly #claims: Claims;
  readonly #random: Random;
  #connectionId: ConnectionId | undefined;

  constructor(claims: Claims, random: Random) {
    this.#claims = claims;
    this.#random = random;
  }

  get identity(): Identity {
    return this.#claims.identity;
  }

  get connectionId(): ConnectionId {
    return (this.#connectionId ??= ConnectionId.random(this.#random));
  }

  get tokenPayload(): string {
    return this.#claims.payload;
  }
}
