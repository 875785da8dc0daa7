import { createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

import { type Authenticator, type AuthRequest, denied } from './authenticator.js';

export interface CraUser {
  /** The secret; with salting, what `deriveCraKey` makes of it. */
  readonly secret: string;
  /** 12 random octets in base64, as unknown users are told: another length gives known ones away. */
  readonly salt?: string;
  readonly authrole: string;
  /** Default: the authid that was asked for. */
  readonly authid?: string;
}

export interface CraOptions {
  readonly lookup: (
    authid: string,
    request: AuthRequest,
  ) => CraUser | undefined | Promise<CraUser | undefined>;
  /** How the keys of all users were derived; without it secrets are used as they are. */
  readonly salting?: { readonly iterations: number; readonly keylen: number };
}

/** PBKDF2-HMAC-SHA256 as base64; its text, not its octets, is the key. */
export function deriveCraKey(secret: string, salt: string, iterations = 1000, keylen = 32): string {
  return pbkdf2Sync(secret, salt, iterations, keylen, 'sha256').toString('base64');
}

/** Challenge and response with a shared secret: HMAC-SHA256 over the text of the challenge. */
export function craAuth({ lookup, salting }: CraOptions): Authenticator {
  // Unknown users get a salt, too: the same one each time, as known ones do.
  const mockKey = randomBytes(32);
  return {
    name: 'wampcra',
    begin: async (request) => {
      const authid = request.authid ?? '';
      const user = await lookup(authid, request);
      const authrole = user?.authrole ?? 'anonymous';
      const challenge = JSON.stringify({
        authid: user?.authid ?? authid,
        // The role is told to those only who prove who they are.
        authrole: 'user',
        authmethod: 'wampcra',
        authprovider: 'dynamic',
        nonce: randomBytes(24).toString('base64'),
        timestamp: new Date().toISOString(),
        session: request.session,
      });
      const salt = user?.salt ?? createHmac('sha256', mockKey).update(authid).digest('base64').slice(0, 16);
      return {
        kind: 'challenge',
        extra: salting === undefined ? { challenge } : { challenge, salt, ...salting },
        answer: (signature) => {
          const key = user?.secret ?? mockKey;
          const expected = createHmac('sha256', key).update(challenge).digest('base64');
          if (!isSame(signature, expected) || user === undefined) return denied('wrong signature');
          return { kind: 'welcome', principal: { authid: user.authid ?? authid, authrole } };
        },
      };
    },
  };
}

/** Takes as long for a wrong text as for the right one. */
export function isSame(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
