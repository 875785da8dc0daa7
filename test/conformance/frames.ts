import { ConnectionId } from '../../src/values/identity.js';
import { WebSocket } from 'ws';
import { systemRandom } from '../../src/base/random.js';
import { systemClock } from '../../src/base/clock.js';
import { KeyPair } from '../../src/identity/keys.js';
import { TokenAuthority } from '../../src/identity/tokens.js';
import { Listener } from '../../src/net/listener.js';
import { FakeCatalog } from '../../src/protocols/spacetimedb/server/testing/fake-catalog.js';
import { Session } from '../../src/protocols/spacetimedb/server/session.js';
import { legacySubscribeRoute, subscribeRoute } from '../../src/protocols/spacetimedb/server/websocket.js';
import type { WireOptions } from '../../src/protocols/spacetimedb/server/wires/make-wire.js';
import { module } from './chat-module.js';
import { runModule } from './database.js';

/* A server of `chat-module.ts` that takes and gives frames, over memory and over WebSocket. */

/** Frames to a server, whatever carries them. */
export interface FrameLink {
  /** Frames that arrive together, as from one chunk of a stream. */
  send(frames: readonly (Uint8Array | string)[]): void;
  sendText(text: string): void;
  close(): void;
}

/** What a link tells. */
export interface FrameListener {
  onFrame(frame: Uint8Array): void;
  onText(text: string): void;
  onClose(code: number, reason: string): void;
}

export interface LinkOptions extends WireOptions {
  /** From an earlier first message, or `owner` for the owner of the database. */
  readonly token?: string;
  readonly confirmed?: boolean;
}

export interface FrameServer {
  open(options: LinkOptions, listener: FrameListener): Promise<FrameLink>;
  close(): Promise<void>;
}

const authority = new TokenAuthority({ keys: KeyPair.generate(), clock: systemClock, random: systemRandom });

function fail(error: unknown): never {
  throw error;
}

export async function startInMemory(): Promise<FrameServer> {
  const owner = await authority.mintAnonymous();
  const database = runModule(module, owner.identity, queueMicrotask);
  const sessions = new Set<Session>();

  const open = async (
    { token, confirmed, ...wire }: LinkOptions,
    listener: FrameListener,
  ): Promise<FrameLink> => {
    const presented = token === 'owner' ? owner.token : token;
    const credentials =
      presented === undefined ? await authority.mintAnonymous() : await authority.verify(presented);
    let isOpen = true;
    const end = (code: number, reason: string): void => {
      if (!isOpen) return;
      isOpen = false;
      sessions.delete(session);
      session.closed();
      listener.onClose(code, reason);
    };
    const session: Session = new Session({
      ...wire,
      database,
      caller: {
        identity: credentials.identity,
        connectionId: ConnectionId.random(systemRandom),
        tokenPayload: credentials.payload,
      },
      token: credentials.token,
      confirmed: confirmed ?? !wire.protocol.startsWith('v1.'),
      link: {
        get isOpen() {
          return isOpen;
        },
        send: (...parts) => listener.onFrame(Buffer.concat(parts)),
        sendText: (text) => listener.onText(text),
        // Like a socket: the session hears of the end later, not while it closes.
        close: (code, reason) => queueMicrotask(() => end(code, reason)),
      },
      onError: fail,
    });
    // A client has its link before it hears anything.
    queueMicrotask(() => {
      if (session.start()) sessions.add(session);
      else end(1006, '');
    });
    return {
      send(frames) {
        for (const frame of frames) {
          if (typeof frame === 'string') session.receiveText(frame);
          else session.receive(frame);
        }
        session.endTurn();
      },
      sendText: (text) => session.receiveText(text),
      close: () => end(1000, ''),
    };
  };
  return {
    open,
    close: async () => {
      for (const session of sessions) session.closed();
      database.delivery.close();
    },
  };
}

export async function startOverWebSocket(): Promise<FrameServer> {
  const owner = await authority.mintAnonymous();
  const listener = await Listener.listen({ port: 0 });
  const database = runModule(module, owner.identity, (flush) => listener.turns.beforeFlush(flush));
  const catalog = new FakeCatalog();
  catalog.databases.push(database);
  const sockets = { catalog, authority, random: systemRandom, onError: fail };
  listener.addUpgradeRoute(subscribeRoute(sockets));
  listener.addUpgradeRoute(legacySubscribeRoute(sockets));

  const open = (options: LinkOptions, heard: FrameListener): Promise<FrameLink> => {
    const { token, confirmed, compression, isLight, protocol } = options;
    const presented = token === 'owner' ? owner.token : token;
    const isLegacy = protocol === 'v1.text.spacetimedb';
    const authorization = isLegacy
      ? `Basic ${Buffer.from(`token:${presented}`).toString('base64')}`
      : `Bearer ${presented}`;
    const headers = presented === undefined ? {} : { authorization };
    const query = new URLSearchParams();
    if (confirmed !== undefined) query.set('confirmed', String(confirmed));
    if (compression !== undefined) query.set('compression', compression);
    if (isLight !== undefined) query.set('light', String(isLight));
    const path = isLegacy ? '/database/subscribe/conformance' : '/v1/database/conformance/subscribe';
    const url = `${listener.url.replace('http', 'ws')}${path}?${query}`;
    const socket = new WebSocket(url, protocol, { headers, perMessageDeflate: false });
    socket.on('message', (data: Buffer, isBinary) =>
      isBinary ? heard.onFrame(data) : heard.onText(data.toString()),
    );
    socket.on('close', (code, reason) => heard.onClose(code, reason.toString()));
    return new Promise((resolve, reject) => {
      socket.on('open', () =>
        resolve({
          send: (frames) => frames.forEach((frame) => socket.send(frame)),
          sendText: (text) => socket.send(text),
          close: () => socket.close(1000),
        }),
      );
      socket.on('error', reject);
    });
  };
  return {
    open,
    close: async () => {
      await listener.close({ drainMs: 0 });
      database.delivery.close();
    },
  };
}
