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

/** What names the TLS channel: `tls-unique` that of TLS 1.2 (RFC 5929), `tls-exporter` that of TLS 1.3 (RFC 9266). */
export type ChannelBindingType = 'tls-unique' | 'tls-exporter';

export interface AuthContext {
  readonly authId: string | undefined;
  /** The name of the channel. Throws AuthError where there is none of the type: without TLS, or in pages. */
  channelBinding(type: ChannelBindingType): Uint8Array<ArrayBuffer>;
}

export interface AuthMethod {
  /** As it stands in `authmethods`. */
  readonly name: string;
  /** Whether the router must be told the authid beforehand. */
  readonly requiresAuthId: boolean;
  begin(context: AuthContext): AuthExchange | Promise<AuthExchange>;
}
