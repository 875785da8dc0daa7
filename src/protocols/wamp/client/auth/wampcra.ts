import { AuthError } from '../errors.js';
import { numberIn, textIn } from '../payload.js';
import type { Dict } from '../payload.js';
import type { AuthMethod } from './auth-method.js';
import type { Salting } from './wampcra-proof.js';

/** `wampcra`: proves that both know a secret, by signing the router's challenge with it; salted or not. */
export function crAuth(secret: string): AuthMethod {
  return {
    name: 'wampcra',
    requiresAuthId: true,
    begin: () => ({
      authenticate: async ({ extra }) => {
        const challenge = textIn(extra, 'challenge');
        if (challenge === undefined) throw new AuthError('the router sent no challenge');
        const { signChallenge } = await import('./wampcra-proof.js');
        return { signature: await signChallenge(secret, challenge, saltingOf(extra)) };
      },
    }),
  };
}

function saltingOf(extra: Dict): Salting | undefined {
  const salt = textIn(extra, 'salt');
  if (salt === undefined) return undefined;
  return {
    salt,
    iterations: numberIn(extra, 'iterations') ?? 1000,
    keyBytes: numberIn(extra, 'keylen') ?? 32,
  };
}
