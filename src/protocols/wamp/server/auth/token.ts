import { AuthError } from '../../../../identity/auth-error.js';
import type { Credentials, TokenAuthority } from '../../../../identity/tokens.js';
import { type Authenticator, type AuthStep, denied, type Principal } from './authenticator.js';

export interface TokenAuthOptions {
  readonly authority: Pick<TokenAuthority, 'verify'>;
  /** The role of whoever holds a token. Default: everybody is `user`. */
  readonly roleOf?: (credentials: Credentials) => string;
}

/**
 * The server's own tokens, the same that open a database: as the ticket of `ticket`, or, with the method `token`, as
 * HELLO.Details.authextra.token or the bearer of the connection. The authid is the identity in hexadecimal.
 */
export function tokenAuth({ authority, roleOf = () => 'user' }: TokenAuthOptions): readonly Authenticator[] {
  const check = async (token: string): Promise<AuthStep> => {
    try {
      const credentials = await authority.verify(token);
      const principal: Principal = {
        authid: credentials.identity.toHexString(),
        authrole: roleOf(credentials),
        authprovider: credentials.issuer,
        context: credentials,
      };
      return { kind: 'welcome', principal };
    } catch (error) {
      if (error instanceof AuthError) return denied(error.message);
      throw error;
    }
  };
  return [
    { name: 'ticket', begin: () => ({ kind: 'challenge', extra: {}, answer: (ticket) => check(ticket) }) },
    {
      name: 'token',
      begin: ({ authextra, transport }) => {
        const token = authextra['token'] ?? transport.bearer;
        return typeof token === 'string' ? check(token) : denied('no token');
      },
    },
  ];
}
