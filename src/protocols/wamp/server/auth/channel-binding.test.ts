import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { type Fields, toFields, toMessage } from '../../../../../test/conformance/wamp-peer.js';
import { selfSigned } from '../../../../../test/net/self-signed.js';
import { Listener } from '../../../../net/listener.js';
import { jsonSerializer } from '../../messages/json.js';
import { encodeHandshake, encodeRawFrame, FrameType, RawFrameReader } from '../../messages/raw-socket.js';
import { mountWamp } from '../mount.js';
import { WampRouter } from '../router.js';
import { makeScramUser, scramAuth } from './scram.js';
import { cryptosignAuth } from './cryptosign.js';
import { proveScram, type ScramChallenge } from '../testing/prove-scram.js';

/*
 * Proofs of identity that are bound to the TLS channel they are made on, over real TLS.
 */

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pubkey = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
const device = { authid: 'device', authrole: 'device' };

interface Client {
  readonly socket: tls.TLSSocket;
  readonly ask: (...fields: Fields) => Promise<Fields>;
}

let listener: Listener;
const sockets: tls.TLSSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener.close({ drainMs: 0 });
});

async function start(isTls = true): Promise<void> {
  const user = makeScramUser('secret', 'user');
  const auth = [
    cryptosignAuth({ lookup: (key) => (key === pubkey ? device : undefined) }),
    scramAuth({ lookup: () => user }),
  ];
  listener = await Listener.listen(isTls ? { tls: selfSigned } : {});
  mountWamp(listener, new WampRouter({ realms: { realm1: {} }, auth }));
}

type Version = 'TLSv1.2' | 'TLSv1.3';
type Open = (version: Version, session?: Buffer) => Promise<Client>;

function tlsOptions(version: Version, session?: Buffer): tls.ConnectionOptions {
  const ca = selfSigned.cert;
  return { ca, host: '127.0.0.1', minVersion: version, maxVersion: version, ...(session && { session }) };
}

function asker(send: (wire: string) => void) {
  let answer: (fields: Fields) => void = () => {};
  const ask = (...fields: Fields): Promise<Fields> =>
    new Promise((resolve) => {
      answer = resolve;
      send(jsonSerializer.encode(toMessage(fields)) as string);
    });
  const take = (wire: string | Uint8Array): void => answer(toFields(jsonSerializer.decode(wire)));
  return { ask, take };
}

const openWebSocket: Open = async (version, session) => {
  const url = listener.url.replace('http', 'ws');
  const webSocket = new WebSocket(url, 'wamp.2.json', tlsOptions(version, session));
  const { ask, take } = asker((wire) => webSocket.send(wire));
  webSocket.on('message', (data: Buffer) => take(data.toString()));
  const socket = await new Promise<tls.TLSSocket>((resolve, reject) => {
    webSocket.on('error', reject).on('upgrade', (message) => resolve(message.socket as tls.TLSSocket));
  });
  sockets.push(socket);
  if (webSocket.readyState !== WebSocket.OPEN)
    await new Promise((resolve) => webSocket.once('open', resolve));
  return { socket, ask };
};

const openRawSocket: Open = async (version, session) => {
  const socket = tls.connect({ port: listener.port, ...tlsOptions(version, session) });
  sockets.push(socket);
  const { ask, take } = asker((wire) => socket.write(encodeRawFrame(FrameType.message, Buffer.from(wire))));
  const reader = new RawFrameReader(2 ** 24, (_type, octets) => take(octets));
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.write(encodeHandshake(jsonSerializer.rawSocketId, 2 ** 24));
  await new Promise<void>((resolve) => {
    socket.once('data', (chunk) => {
      reader.receive(chunk.subarray(4));
      socket.on('data', (more) => reader.receive(more));
      resolve();
    });
  });
  return { socket, ask };
};

function sha256(octets: Uint8Array | undefined): Buffer {
  return createHash('sha256').update(octets!).digest();
}

/** Signs the challenge of a router, bound to `channelId`. */
async function joinByKey({ ask }: Client, binding: string | null, channelId: Uint8Array): Promise<Fields> {
  const authextra = { pubkey, channel_binding: binding };
  const challenge = await ask(1, 'realm1', { roles: { caller: {} }, authmethods: ['cryptosign'], authextra });
  if (challenge[0] !== 4) return challenge;
  expect(challenge[2]).toMatchObject({ channel_binding: binding });
  const octets = Buffer.from((challenge[2] as { challenge: string }).challenge, 'hex');
  const message = Buffer.from(octets.map((octet, i) => octet ^ channelId[i]!));
  return ask(5, sign(null, message, privateKey).toString('hex') + message.toString('hex'), {});
}

const welcome = { 0: 2, 2: { authid: 'device' } };
const refused = { 0: 3, 2: 'wamp.error.authentication_failed' };

describe.each([
  ['WebSocket', openWebSocket],
  ['RawSocket', openRawSocket],
] as const)('channel binding over %s', (_name, open) => {
  it('tls-unique is of TLS 1.2: the Finished message of either side', async () => {
    await start();
    const [one, two, three] = [await open('TLSv1.2'), await open('TLSv1.2'), await open('TLSv1.2')];
    expect(await joinByKey(one, 'tls-unique', sha256(one.socket.getFinished()))).toMatchObject(welcome);
    expect(await joinByKey(two, 'tls-unique', sha256(two.socket.getPeerFinished()))).toMatchObject(welcome);
    expect(await joinByKey(three, 'tls-unique', sha256(two.socket.getFinished()))).toMatchObject(refused);
    const unbound = await open('TLSv1.2');
    expect(await joinByKey(unbound, 'tls-unique', new Uint8Array(32))).toMatchObject(refused);
    const modern = await open('TLSv1.3');
    expect(await joinByKey(modern, 'tls-unique', sha256(modern.socket.getFinished()))).toMatchObject(refused);
  });

  it('tls-exporter is of TLS 1.3', async () => {
    await start();
    const exported = ({ socket }: Client): Buffer =>
      socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const [one, two, old] = [await open('TLSv1.3'), await open('TLSv1.3'), await open('TLSv1.2')];
    expect(await joinByKey(one, 'tls-exporter', exported(one))).toMatchObject(welcome);
    expect(await joinByKey(two, 'tls-exporter', exported(one))).toMatchObject(refused);
    expect(await joinByKey(old, 'tls-exporter', exported(old))).toMatchObject(refused);
  });

  it('SCRAM is bound to the first Finished message: the client its own, or the router its own if resumed', async () => {
    await start();
    const join = async (client: Client, data: Uint8Array | undefined): Promise<Fields> => {
      const details = { roles: { caller: {} }, authmethods: ['wamp-scram'], authid: 'ada' };
      const authextra = { nonce: 'clientnonce', channel_binding: 'tls-unique' };
      const [, , extra] = await client.ask(1, 'realm1', { ...details, authextra });
      const { nonce } = extra as { nonce: string };
      const binding = { type: 'tls-unique', data: data! };
      const { proof } = proveScram(
        'secret',
        'ada',
        'clientnonce',
        extra as unknown as ScramChallenge,
        binding,
      );
      return client.ask(5, proof, { nonce, channel_binding: 'tls-unique' });
    };
    const full = await open('TLSv1.2');
    expect(await join(full, full.socket.getFinished())).toMatchObject({ 0: 2 });
    const other = await open('TLSv1.2');
    expect(await join(other, other.socket.getPeerFinished())).toMatchObject(refused);
    const resumed = await open('TLSv1.2', full.socket.getSession());
    expect(resumed.socket.isSessionReused()).toBe(true);
    expect(await join(resumed, resumed.socket.getPeerFinished())).toMatchObject({ 0: 2 });
  });
});

it('without TLS there is nothing to be bound to', async () => {
  await start(false);
  const webSocket = new WebSocket(listener.url.replace('http', 'ws'), 'wamp.2.json');
  const { ask, take } = asker((wire) => webSocket.send(wire));
  webSocket.on('message', (data: Buffer) => take(data.toString()));
  await new Promise((resolve) => webSocket.once('open', resolve));
  const client = { ask } as Client;
  expect(await joinByKey(client, 'tls-unique', new Uint8Array(32))).toMatchObject(refused);
  webSocket.terminate();
});
