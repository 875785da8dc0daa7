import type { AuthMethod } from './auth-method.js';

/**
 * `ticket`: a secret that is told as it is. Give a function when tickets expire; it is asked anew for each attempt.
 *
 *     connect(url, { realm, keyring: new AuthKeyring([ticketAuth('s3cret')], { authId: 'ada' }) })
 */
export function ticketAuth(ticket: string | (() => string | Promise<string>)): AuthMethod {
  return {
    name: 'ticket',
    requiresAuthId: true,
    begin: () => ({
      authenticate: async () => ({ signature: typeof ticket === 'string' ? ticket : await ticket() }),
    }),
  };
}

/** A token of the database (JWT) as a ticket: the name is in the token, so none is asked for. */
export function tokenAuth(token: string | (() => string | Promise<string>)): AuthMethod {
  return { ...ticketAuth(token), requiresAuthId: false };
}

/** `anonymous`: nobody in particular. Offer it last, for routers that let guests in. */
export function anonymousAuth(): AuthMethod {
  return {
    name: 'anonymous',
    requiresAuthId: false,
    begin: () => ({ authenticate: () => ({ signature: '' }) }),
  };
}
