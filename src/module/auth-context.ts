import type { Identity } from '../values/identity.js';
import type { Caller } from './module-def.js';
import type { AuthCtx, JsonObject, JwtClaims } from './reducer-ctx.js';

/** `ctx.senderAuth`: the token is read only when somebody looks. */
export class AuthContext implements AuthCtx {
  readonly #caller: Caller;
  #jwt: JwtClaims | null | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get isInternal(): boolean {
    return this.#caller.connectionId === undefined;
  }

  get hasJWT(): boolean {
    return this.#caller.tokenPayload !== undefined;
  }

  get jwt(): JwtClaims | null {
    if (this.#jwt === undefined) {
      const { tokenPayload, identity } = this.#caller;
      this.#jwt = tokenPayload === undefined ? null : readClaims(tokenPayload, identity);
    }
    return this.#jwt;
  }
}

/** @param rawPayload has been verified: whatever is missing was not signed either. */
function readClaims(rawPayload: string, identity: Identity): JwtClaims {
  const parsed: unknown = JSON.parse(rawPayload);
  const fullPayload = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as JsonObject;
  const { sub, iss, aud } = fullPayload;
  const audience = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
  return {
    rawPayload,
    subject: typeof sub === 'string' ? sub : '',
    issuer: typeof iss === 'string' ? iss : '',
    audience: audience.filter((part): part is string => typeof part === 'string'),
    identity,
    fullPayload,
  };
}
