import type { Dict } from '../payload.js';

/*
 * Ways to prove who one is. A method is a recipe; each attempt to join makes an exchange of its own, so that a client that
 * reconnects never repeats a nonce.
 */

/** CHALLENGE. */
export interface Challenge {
  readonly method: string;
  readonly extra: Dict;
}

/** AUTHENTICATE. */
export interface Proof {
  readonly signature: string;
  readonly extra?: Dict;
}

export interface AuthExchange {
  /** Goes into `authextra` of HELLO, together with that of other methods. */
  readonly authExtra?: Dict;
  /** The proof that the challenge asks for. May be asked twice (two factors). Throws when the router cannot be trusted. */
  authenticate(challenge: Challenge): Proof | Promise<Proof>;
  /** Throws when the router's proof of itself is missing or wrong. */
  checkWelcome?(details: Dict): void;
}

export interface AuthMethod {
  /** As it stands in `authmethods`. */
  readonly name: string;
  /** Whether the router must be told the authid beforehand. */
  readonly requiresAuthId: boolean;
  begin(context: { readonly authId: string | undefined }): AuthExchange | Promise<AuthExchange>;
}
