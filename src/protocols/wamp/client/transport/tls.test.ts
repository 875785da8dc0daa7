import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../../../../../test/net/self-signed.js';
import { Listener } from '../../../../net/listener.js';
import { cryptosignAuth as checkCryptosign } from '../../server/auth/cryptosign.js';
import { makeScramUser, scramAuth as checkScram } from '../../server/auth/scram.js';
import { mountWamp } from '../../server/mount.js';
import { WampRouter } from '../../server/router.js';
import { AuthKeyring, connect, cryptosignAuth, ed25519Signer, scramAuth } from '../index.node.js';
import type { AuthMethod, Client, ConnectOptions, TlsOptions } from '../index.node.js';

/* wss and RawSocket over TLS, with a certificate that nobody has heard of. */

const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const ca = selfSigned.cert;

let listener: Listener;
beforeAll(async () => {
  const { publicKey } = await ed25519Signer(SEED);
  const device = { authid: 'device', authrole: 'device' };
  const user = makeScramUser('secret', 'user');
  const auth = [
    checkCryptosign({ lookup: (key) => (key === publicKey ? device : undefined) }),
    checkScram({ lookup: () => user }),
  ];
  listener = await Listener.listen({ tls: selfSigned });
  mountWamp(listener, new WampRouter({ realms: { realm1: {} }, auth }));
});
afterAll(async () => await listener.close({ drainMs: 0 }));

describe.each(['wss', 'https', 'tcps', 'rss', 'tcp4s'])('%s:', (scheme) => {
  const join = async (
    sslVerify: ConnectOptions['sslVerify'],
    method: AuthMethod = cryptosignAuth({ key: SEED }),
  ): Promise<Client> => {
    const keyring = new AuthKeyring([method], { authId: 'device' });
    return await connect(`${scheme}://127.0.0.1:${listener.port}/`, { realm: 'realm1', sslVerify, keyring });
  };

  test('a certificate that nobody vouches for is refused, unless sslVerify is false or names who does', async () => {
    for (const strict of [undefined, true, { rejectUnauthorized: true }]) {
      await expect(join(strict)).rejects.toMatchObject({ code: 'TRANSPORT' });
    }
    for (const lenient of [false, { ca }, { ca, servername: 'localhost' }]) {
      await using client = await join(lenient);
      await expect(client.call('com.nobody')).rejects.toMatchObject({
        uri: 'wamp.error.no_such_procedure',
      });
    }
    await expect(join({ ca, servername: 'elsewhere.example' })).rejects.toMatchObject({ code: 'TRANSPORT' });
  });

  const only = (version: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
    ca,
    minVersion: version,
    maxVersion: version,
  });

  test.each([
    ['tls-unique', 'TLSv1.2', 'TLSv1.3'],
    ['tls-exporter', 'TLSv1.3', 'TLSv1.2'],
  ] as const)('proofs are bound to the channel by %s, which is of %s', async (channelBinding, own, other) => {
    const methods = [cryptosignAuth({ key: SEED, channelBinding }), scramAuth('secret', { channelBinding })];
    for (const method of methods) {
      await using client = await join(only(own), method);
      expect(client.session.details['authmethod']).toBe(method.name);
      await expect(join(only(other), method)).rejects.toThrow(`has no channel binding "${channelBinding}"`);
    }
  });
});

test('what is bound to one channel is worth nothing on another', async () => {
  const method = cryptosignAuth({ key: SEED, channelBinding: 'tls-exporter' });
  // Somebody in between, who passes on all that is said: what he has with us names another channel than what he has with the router.
  const elsewhere: AuthMethod = {
    ...method,
    begin: (context) => method.begin({ ...context, channelBinding: () => new Uint8Array(32).fill(1) }),
  };
  const options = { realm: 'realm1', sslVerify: { ca }, keyring: [elsewhere] };
  await expect(connect(`wss://127.0.0.1:${listener.port}/`, options)).rejects.toMatchObject({
    reason: 'wamp.error.authentication_failed',
  });
});
