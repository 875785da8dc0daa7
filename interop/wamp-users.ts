import { createPrivateKey, createPublicKey } from 'node:crypto';

import type { Authenticator } from '../src/protocols/wamp/server/auth/authenticator.js';
import { cryptosignAuth } from '../src/protocols/wamp/server/auth/cryptosign.js';
import { makeScramUser, scramAuth, type ScramUser } from '../src/protocols/wamp/server/auth/scram.js';
import { ticketAuth } from '../src/protocols/wamp/server/auth/ticket.js';
import { craAuth, deriveCraKey } from '../src/protocols/wamp/server/auth/wampcra.js';

/** Of the key that `ada` signs with, in hex. */
export const SEED = '11'.repeat(32);
export const PUBLIC_KEY = publicKeyOf(SEED);

/** Of autobahn's `derive_scram_credential` for that secret, with less work to do. */
const AUTOBAHN_SCRAM_USER: ScramUser = {
  salt: 'AAECAwQFBgcICQoLDA0ODw==',
  kdf: 'argon2id13',
  iterations: 2,
  memory: 64,
  storedKey: '+7NMRUG0DDn8GJLw7DDfDfr/DuKf6/riYFzZ1MRoMkw=',
  serverKey: 'pLCzLAhLAZZ3rNvogsi8Xk4Al6+pQlXisLlBXwYb+uI=',
  authrole: 'user',
};

/** A router's methods for one user: `ada`, whose secret is `s3cret`, whose key is that of SEED. */
export function authenticateAda(): Authenticator[] {
  const ada = { authid: 'ada', authrole: 'user' };
  const scramUser = makeScramUser('s3cret', 'user', 100);
  return [
    ticketAuth((authid, ticket) => (authid === 'ada' && ticket === 's3cret' ? ada : undefined)),
    craAuth({
      lookup: (authid) =>
        authid === 'ada'
          ? { secret: deriveCraKey('s3cret', 'salty', 100), salt: 'salty', authrole: 'user' }
          : undefined,
      salting: { iterations: 100, keylen: 32 },
    }),
    scramAuth({ lookup: (authid) => (authid === 'ada' ? scramUser : undefined) }),
    scramAuth({
      dialect: 'autobahn',
      lookup: (authid) => (authid === 'ada' ? AUTOBAHN_SCRAM_USER : undefined),
    }),
    cryptosignAuth({ lookup: (key) => (key === PUBLIC_KEY ? ada : undefined) }),
  ];
}

function publicKeyOf(seed: string): string {
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex');
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}
