import { once } from 'node:events';

import { WebSocket } from 'ws';

import { VarReader } from '../../src/base/var-reader.js';
import { VarWriter } from '../../src/base/var-writer.js';
import { scanUpdate } from '../../src/documents/scan-update.js';
import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';
import { COLD_ROOMS } from './large-document.js';

interface LoadConfig {
  readonly kind: 'fan-out' | 'rooms' | 'cold' | 'room-memory' | 'cold-memory';
  /** Readers of the one room, or rooms of two sockets. */
  readonly count: number;
  /** The number of the first room; 0 if left out. */
  readonly from?: number;
  readonly dialect: 'plain' | 'hocuspocus';
  readonly server: { readonly port: number };
}

/** The least that can take part: counts the clocks of what it is sent, and builds no document. */
class RawPeer {
  readonly socket: WebSocket;
  onClocks: (count: number) => void = () => {};
  onSync: () => void = () => {};
  readonly #prefix: Uint8Array;

  constructor(port: number, room: string, dialect: LoadConfig['dialect']) {
    const isPlain = dialect === 'plain';
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/${isPlain ? room : ''}`, {
      perMessageDeflate: false,
    });
    this.#prefix = isPlain ? new Uint8Array(0) : new VarWriter().writeVarString(room).finish();
    this.socket.on('message', (data: Buffer) => this.#receive(data));
    this.socket.on('open', () => {
      if (!isPlain) this.#send(Uint8Array.of(2, 0, 0, 5, 52, 46, 56, 46, 48));
      this.#send(Uint8Array.of(0, 0, 1, 0));
    });
  }

  async synced(): Promise<this> {
    await new Promise<void>((resolve) => void (this.onSync = resolve));
    return this;
  }

  sendUpdate(update: Uint8Array): void {
    this.#send(new VarWriter().writeU8(0).writeU8(2).writeVarBytes(update).finish());
  }

  #send(message: Uint8Array): void {
    this.socket.send(Buffer.concat([this.#prefix, message]));
  }

  #receive(data: Buffer): void {
    const reader = new VarReader(data);
    if (this.#prefix.length > 0) reader.readVarBytes();
    const type = reader.readVarUint();
    if (type !== 0 && type !== 4) return;
    const kind = reader.readVarUint();
    if (kind === 1) this.onSync();
    if (kind !== 2) return;
    const { structs } = scanUpdate(reader.readVarBytes());
    let clocks = 0;
    for (let i = 0; i < structs.length; i += 3) clocks += structs[i + 2]! - structs[i + 1]!;
    this.onClocks(clocks);
  }
}

let nextClient = 3_000_000_000;

/** Single letters typed at the end, one update each: the bytes that yjs writes, without a document that grows meanwhile. */
function makeTyping(): () => Uint8Array {
  const client = nextClient++;
  let clock = 0;
  return () => {
    const writer = new VarWriter().writeVarUint(1).writeVarUint(1).writeVarUint(client).writeVarUint(clock);
    // A string; the first one says which text it is in, the others what they follow.
    if (clock === 0) writer.writeU8(4).writeVarUint(1).writeVarString('t');
    else
      writer
        .writeU8(0x84)
        .writeVarUint(client)
        .writeVarUint(clock - 1);
    clock += 1;
    return writer.writeVarString('x').writeVarUint(0).finish();
  };
}

type Drive = (seconds: number) => Promise<LoadResult>;

// Typing as fast as it goes, with no more than a thousand updates unanswered: queues stay bounded.
const WINDOW = 1000;

async function fanOut({ count, dialect, server }: LoadConfig): Promise<Drive> {
  const writer = await new RawPeer(server.port, 'room', dialect).synced();
  const readers = await Promise.all(
    Array.from({ length: count }, () => new RawPeer(server.port, 'room', dialect).synced()),
  );
  const type = makeTyping();
  return async (seconds) => {
    const latencies = new Latencies();
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    const sentMs: number[] = [];
    let seen = 0;
    await new Promise<void>((resolve) => {
      const send = (): void => {
        sentMs.push(performance.now());
        writer.sendUpdate(type());
      };
      for (const reader of readers) {
        reader.onClocks = (clocks) => {
          seen += clocks;
          while (seen >= count) {
            seen -= count;
            latencies.add((performance.now() - sentMs.shift()!) * 1000);
            if (performance.now() < endMs) send();
            else if (sentMs.length === 0) resolve();
          }
        };
      }
      for (let i = 0; i < WINDOW; i++) send();
    });
    return resultOf(latencies, startMs, count);
  };
}

async function manyRooms({ count, dialect, server }: LoadConfig): Promise<Drive> {
  const rooms: { readonly writer: RawPeer; readonly reader: RawPeer; readonly type: () => Uint8Array }[] = [];
  while (rooms.length < count) {
    const next = Array.from({ length: Math.min(50, count - rooms.length) }, async (_, i) => {
      const name = `room${rooms.length + i}`;
      const [writer, reader] = await Promise.all(
        [0, 1].map(() => new RawPeer(server.port, name, dialect).synced()),
      );
      return { writer: writer!, reader: reader!, type: makeTyping() };
    });
    rooms.push(...(await Promise.all(next)));
  }
  return async (seconds) => {
    const latencies = new Latencies();
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    await Promise.all(
      rooms.map(
        ({ writer, reader, type }) =>
          new Promise<void>((resolve) => {
            let sentMs = 0;
            const send = (): void => {
              sentMs = performance.now();
              writer.sendUpdate(type());
            };
            reader.onClocks = () => {
              latencies.add((performance.now() - sentMs) * 1000);
              if (performance.now() < endMs) send();
              else resolve();
            };
            send();
          }),
      ),
    );
    return resultOf(latencies, startMs, 1);
  };
}

/** Opens rooms with two sockets each, and in small ones writes a word. */
async function fillRooms({ kind, count, from = 0, dialect, server }: LoadConfig): Promise<Drive> {
  for (let i = from; i < from + count; i++) {
    const name = kind === 'cold-memory' ? `cold${i}` : `room${i}`;
    const [writer] = await Promise.all([0, 1].map(() => new RawPeer(server.port, name, dialect).synced()));
    const type = makeTyping();
    if (kind === 'room-memory') for (let k = 0; k < 10; k++) writer!.sendUpdate(type());
  }
  return () => Promise.reject(new Error('there is nothing to measure over time'));
}

/** Who leaves a room was the last one in it: it is cold again when its turn comes. */
async function coldOpens({ dialect, server }: LoadConfig): Promise<Drive> {
  let next = 0;
  return async (seconds) => {
    const latencies = new Latencies();
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    while (performance.now() < endMs) {
      const openedMs = performance.now();
      const peer = await new RawPeer(server.port, `cold${next++ % COLD_ROOMS}`, dialect).synced();
      latencies.add((performance.now() - openedMs) * 1000);
      peer.socket.close();
      await once(peer.socket, 'close');
    }
    return resultOf(latencies, startMs, 1);
  };
}

function resultOf(latencies: Latencies, startMs: number, opsPerLatency: number): LoadResult {
  return {
    ops: latencies.count * opsPerLatency,
    seconds: (performance.now() - startMs) / 1000,
    latencyP50Micros: latencies.quantile(0.5),
    latencyP99Micros: latencies.quantile(0.99),
  };
}

let drive: Drive | undefined;

answerParent({
  async prepare(config: LoadConfig) {
    const kinds = {
      'fan-out': fanOut,
      rooms: manyRooms,
      cold: coldOpens,
      'room-memory': fillRooms,
      'cold-memory': fillRooms,
    };
    drive = await kinds[config.kind](config);
  },
  measure: ({ seconds }: { seconds: number }) => drive!(seconds),
});
