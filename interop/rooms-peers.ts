import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

/** Both clients close sockets that are still being opened, and do not listen for the error that `ws` then emits. */
class QuietSocket extends WebSocket {
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
  readonly isSynced: () => boolean;
  /** Both clients ignore a reconnect that comes before the end of the socket. */
  readonly isConnected: () => boolean;
  disconnect(): void;
  reconnect(): void;
  close(): void;
}

export function openYWebsocket(url: string, room: string): Peer & { readonly provider: WebsocketProvider } {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url.replace('http', 'ws'), room, doc, {
    WebSocketPolyfill: QuietSocket as never,
    disableBc: true,
    maxBackoffTime: 200,
  });
  // The server echoes a kept update: that is the acknowledgement.
  return {
    name: 'y-websocket',
    doc,
    provider,
    isSaved: () => true,
    isSynced: () => provider.synced,
    isConnected: () => provider.wsconnected,
    disconnect: () => provider.disconnect(),
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
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, document: doc, token });
  provider.attach();
  return {
    name: 'hocuspocus',
    doc,
    provider,
    isSaved: () => !provider.hasUnsyncedChanges,
    isSynced: () => provider.isSynced,
    isConnected: () => (socket.status as string) === 'connected',
    disconnect: () => socket.disconnect(),
    reconnect: () => void socket.connect(),
    close: () => {
      provider.destroy();
      socket.destroy();
    },
  };
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
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
