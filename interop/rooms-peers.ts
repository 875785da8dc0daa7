import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

import { WebSocketClient } from '../src/protocols/rooms/wires/index.js';

/** Both clients close sockets that are still being opened, and do not listen for the error that `ws` then emits. */
export class QuietSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols);
    this.on('error', () => {});
  }
}

/** Somebody else's client in a room. */
export interface Peer {
  readonly name: string;
  readonly doc: Y.Doc;
  /** Everything that was edited here was acknowledged. */
  readonly isSaved: () => boolean;
  /** How many updates were made here and acknowledged; 0 where there is no word for it. */
  readonly savedCount: () => number;
  readonly isSynced: () => boolean;
  /** Both clients ignore a reconnect that comes before the end of the socket. */
  readonly isConnected: () => boolean;
  /** Resolves when it is. */
  disconnect(): Promise<void>;
  reconnect(): void;
  close(): void;
}

export function openYWebsocket(
  url: string,
  room: string,
  options: { readonly params?: Record<string, string>; readonly protocols?: string[] } = {},
): Peer & { readonly provider: WebsocketProvider } {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url.replace('http', 'ws'), room, doc, {
    WebSocketPolyfill: QuietSocket as never,
    disableBc: true,
    maxBackoffTime: 200,
    ...options,
  });
  // It has no word for it before version 4; what others have got from it is on disk.
  return {
    name: 'y-websocket',
    doc,
    provider,
    isSaved: () => true,
    savedCount: () => 0,
    isSynced: () => provider.synced,
    isConnected: () => provider.wsconnected,
    disconnect: () => {
      provider.disconnect();
      return until(() => !provider.wsconnected);
    },
    reconnect: () => provider.connect(),
    close: () => provider.destroy(),
  };
}

export function openHocuspocus(
  url: string,
  room: string,
  token = '',
): Peer & { readonly provider: HocuspocusProvider } {
  const doc = new Y.Doc();
  const socket = new HocuspocusProviderWebsocket({
    url: url.replace('http', 'ws'),
    WebSocketPolyfill: QuietSocket,
    delay: 50,
    maxDelay: 200,
    minDelay: 50,
  });
  const updates = countOwnUpdates(doc);
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, document: doc, token });
  provider.attach();
  return {
    name: 'hocuspocus',
    doc,
    provider,
    isSaved: () => !provider.hasUnsyncedChanges,
    savedCount: () => updates.ownCount - provider.unsyncedChanges,
    isSynced: () => provider.isSynced,
    isConnected: () => (socket.status as string) === 'connected',
    disconnect: () => {
      socket.disconnect();
      return until(() => (socket.status as string) !== 'connected');
    },
    reconnect: () => void socket.connect(),
    close: () => {
      provider.destroy();
      socket.destroy();
    },
  };
}

/** Ours, in the same words. It comes back by itself: there is no `reconnect`. */
export function openOurs(url: string, room: string): Peer & { readonly client: WebSocketClient } {
  const { hostname, port } = new URL(url);
  const client = new WebSocketClient({
    id: room,
    host: hostname,
    port: Number(port),
    reconnect: { minMs: 20, maxMs: 200 },
  });
  const opened = client.open();
  opened.catch(ignore);
  const updates = countOwnUpdates(client.doc);
  let savedCount = 0;
  client.doc.on('update', (_update, _origin, _doc, { local }) => {
    const count = updates.ownCount;
    if (local) void client.whenSaved().then(() => void (savedCount = count), ignore);
  });
  return {
    name: 'ours',
    doc: client.doc,
    client,
    isSaved: () => savedCount === updates.ownCount,
    savedCount: () => savedCount,
    isSynced: () => client.isSynchronized,
    isConnected: () => client.status === 'connected',
    disconnect: async () => {
      await client.channel?.close();
    },
    reconnect: () => {},
    close: () => void client.close(),
  };
}

/** Closed before it came to it: that is what tests do. */
const ignore = (): void => {};

function countOwnUpdates(doc: Y.Doc): { readonly ownCount: number } {
  const updates = { ownCount: 0 };
  doc.on('update', (_update, _origin, _doc, { local }) => void (updates.ownCount += local ? 1 : 0));
  return updates;
}

export const vectorOf = (doc: Y.Doc): string => Buffer.from(Y.encodeStateVector(doc)).toString('hex');

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  kill(): Promise<void>;
}

/** Starts the server in its own process. */
export async function spawnServer(dataDirectory: string, port = 0): Promise<ServerProcess> {
  const file = join(import.meta.dirname, 'rooms-server.ts');
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', file, dataDirectory, String(port)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return {
    url: line,
    port: Number(new URL(line).port),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
