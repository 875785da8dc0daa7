import { type Authenticator, type AuthRequest, denied, type Principal } from './authenticator.js';

/** Who holds that ticket; undefined if nobody. */
export type TicketVerifier = (
  authid: string,
  ticket: string,
  request: AuthRequest,
) => Principal | undefined | Promise<Principal | undefined>;

/** A shared secret in the clear: for connections that nobody else reads. */
export function ticketAuth(verify: TicketVerifier): Authenticator {
  return {
    name: 'ticket',
    begin: (request) => ({
      kind: 'challenge',
      extra: {},
      answer: async (ticket) => {
        const principal = await verify(request.authid ?? '', ticket, request);
        return principal === undefined ? denied('no such ticket') : { kind: 'welcome', principal };
      },
    }),
  };
}
