import { type Random, systemRandom } from '../../../../base/random.js';
import type { Authenticator } from './authenticator.js';

/** Lets everybody in, as a stranger with that role. */
export function anonymousAuth(
  options: { readonly role?: string; readonly random?: Random } = {},
): Authenticator {
  const { role = 'anonymous', random = systemRandom } = options;
  return {
    name: 'anonymous',
    begin: () => {
      const octets = random.fill(new Uint8Array(12));
      const authid = Buffer.from(octets).toString('base64url');
      return { kind: 'welcome', principal: { authid, authrole: role, authprovider: 'static' } };
    },
  };
}
