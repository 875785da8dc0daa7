import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';

import { loadModule } from '../../src/module/load-module.js';
import { schema } from '../../src/module/schema.js';
import type { Port } from '../../src/protocols/rooms/client/port-wire.js';
import {
  FileClient,
  MemoryClient,
  MemoryServer,
  PipeClient,
  PipeServer,
  PortClient,
  PortServer,
  WebSocketClient,
  WebSocketServer,
} from '../../src/protocols/rooms/wires/index.js';
import { createServer } from '../../src/server/create-server.js';
import { type RoomsSuite, runRoomsSuite } from './rooms.js';

const suites: readonly RoomsSuite[] = [
  {
    name: 'memory',
    start: async (options) => {
      const server = new MemoryServer(options);
      return {
        make: async (client) => new MemoryClient({ ...client, server }),
        roomCount: () => server.roomCount,
        close: () => server.close(),
      };
    },
  },
  ...(['length', 'wiredb'] as const).map((framing): RoomsSuite => ({
    name: `pipe, framing ${framing}`,
    skip:
      framing === 'wiredb'
        ? [{ reason: 'its messages end at 64 KiB', tests: ['one edit of a megabyte goes through'] }]
        : [],
    start: async (options) => {
      const server = new PipeServer({ ...options, framing });
      return {
        make: async (client) =>
          new PipeClient({ ...client, framing, connection: await server.connect(client.id ?? '') }),
        roomCount: () => server.roomCount,
        close: () => server.close(),
      };
    },
  })),
  {
    name: 'MessagePort',
    start: async (options) => {
      const server = new PortServer(options);
      return {
        make: async (client) => {
          const { port1, port2 } = new MessageChannel();
          server.attach(client.id ?? '', port1 as unknown as Port);
          return new PortClient({ ...client, port: port2 as unknown as Port });
        },
        roomCount: () => server.roomCount,
        close: () => server.close(),
      };
    },
  },
  {
    name: 'websocket',
    start: async (options) => {
      const server = await WebSocketServer.open(options);
      return {
        make: async (client) =>
          new WebSocketClient({ ...client, host: 'http://127.0.0.1', port: server.port, reconnect: false }),
        roomCount: () => server.roomCount,
        close: () => server.close(),
      };
    },
  },
  {
    name: 'file',
    skip: [
      {
        reason: 'a file holds documents, not people, and is there without anybody',
        tests: [
          'who is present is seen by all, and who leaves or is cut off is not',
          'the room ends with its last client',
        ],
      },
    ],
    start: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'chorale-rooms-file-'));
      const pathOf = (id = ''): string => join(folder, encodeURIComponent(id));
      return {
        make: async (client) => new FileClient({ ...client, path: pathOf(client.id), watch: true }),
        roomCount: () => 0,
        close: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "websocket, on a Chorale server's port",
    start: async () => {
      const databases = { notes: loadModule({ default: schema({}) }) };
      const server = await createServer({ databases, rooms: { '*path': {} } });
      return {
        make: async (client) =>
          new WebSocketClient({ ...client, host: '127.0.0.1', port: server.port, reconnect: false }),
        roomCount: () => server.rooms()?.openCount ?? 0,
        close: () => server.close({ drainMs: 0 }),
      };
    },
  },
];

for (const suite of suites) runRoomsSuite(suite);
