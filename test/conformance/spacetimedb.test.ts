import { WebSocket } from 'ws';
import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { KeyPair } from '../../src/identity/keys.js';
import { TokenAuthority } from '../../src/identity/tokens.js';
import { Listener } from '../../src/net/listener.js';
import { FakeCatalog } from '../../src/protocols/spacetimedb/server/testing/fake-catalog.js';
import { Session } from '../../src/protocols/spacetimedb/server/session.js';
import { randomConnectionId, subscribeRoute } from '../../src/protocols/spacetimedb/server/websocket.js';
import { module } from './chat-module.js';
import { runModule } from './database.js';
import { runSuite } from './spacetimedb.js';
import type { ConnectOptions, SuiteServer } from './spacetimedb.js';
import { WireClient } from './wire-client.js';

const authority = new TokenAuthority({ keys: KeyPair.generate(), clock: systemClock, random: systemRandom });

function fail(error: unknown): never {
  throw error;
}

async function startInMemory(): Promise<SuiteServer> {
  const owner = await authority.mintAnonymous();
  const database = runModule(module, owner.identity, queueMicrotask);
  const sessions = new Set<Session>();

  const connect = async ({ version, token, confirmed = true }: ConnectOptions): Promise<WireClient> => {
    const presented = token === 'owner' ? owner.token : token;
    const credentials =
      presented === undefined ? await authority.mintAnonymous() : await authority.verify(presented);
    const client = new WireClient();
    let isOpen = true;
    const end = (code: number, reason: string): void => {
      if (!isOpen) return;
      isOpen = false;
      sessions.delete(session);
      session.closed();
      client.onClose(code, reason);
    };
    const session: Session = new Session({
      protocol: `${version}.bsatn.spacetimedb`,
      database,
      caller: {
        identity: credentials.identity,
        connectionId: randomConnectionId(systemRandom),
        tokenPayload: credentials.payload,
      },
      token: credentials.token,
      confirmed,
      link: {
        get isOpen() {
          return isOpen;
        },
        send: (...parts) => client.onFrame(Buffer.concat(parts)),
        sendText: () => fail(new Error('v2 and v3 send no text')),
        // Like a socket: the session hears of the end later, not while it closes.
        close: (code, reason) => queueMicrotask(() => end(code, reason)),
      },
      onError: fail,
    });
    client.link = {
      send(frames) {
        for (const frame of frames) session.receive(frame);
        session.endTurn();
      },
      sendText: (text) => session.receiveText(text),
      close: () => end(1000, ''),
    };
    if (session.start()) sessions.add(session);
    else end(1006, '');
    return client;
  };
  return {
    connect,
    close: async () => {
      for (const session of sessions) session.closed();
      database.delivery.close();
    },
  };
}

async function startOverWebSocket(): Promise<SuiteServer> {
  const owner = await authority.mintAnonymous();
  const listener = await Listener.listen({ port: 0 });
  const database = runModule(module, owner.identity, (flush) => listener.turns.beforeFlush(flush));
  const catalog = new FakeCatalog();
  catalog.databases.push(database);
  listener.addUpgradeRoute(subscribeRoute({ catalog, authority, random: systemRandom, onError: fail }));

  const connect = ({ version, token, confirmed }: ConnectOptions): Promise<WireClient> => {
    const presented = token === 'owner' ? owner.token : token;
    const headers = presented === undefined ? {} : { authorization: `Bearer ${presented}` };
    const query = confirmed === undefined ? '' : `?confirmed=${confirmed}`;
    const url = `${listener.url.replace('http', 'ws')}/v1/database/conformance/subscribe${query}`;
    const socket = new WebSocket(url, `${version}.bsatn.spacetimedb`, { headers, perMessageDeflate: false });
    const client = new WireClient();
    client.link = {
      send: (frames) => frames.forEach((frame) => socket.send(frame)),
      sendText: (text) => socket.send(text),
      close: () => socket.close(1000),
    };
    socket.on('message', (data: Buffer) => client.onFrame(data));
    socket.on('close', (code, reason) => client.onClose(code, reason.toString()));
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('error', reject);
    });
  };
  return {
    connect,
    close: async () => {
      await listener.close({ drainMs: 0 });
      database.delivery.close();
    },
  };
}

runSuite({ name: 'memory', start: startInMemory });
runSuite({ name: 'WebSocket', start: startOverWebSocket });
