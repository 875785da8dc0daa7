import { ManualClock } from '../../../../base/clock.js';
import { VarReader } from '../../../../base/var-reader.js';
import { VarWriter } from '../../../../base/var-writer.js';
import { DocumentStore } from '../../../../documents/document-store.js';
import type { RoomDefinitions } from '../../../../documents/room-definition.js';
import { MemoryLog, type TxOffset } from '../../../../engine/log/commit-log.js';
import { TimerWheel } from '../../../../net/timer-wheel.js';
import { TurnFlusher } from '../../../../net/turn-flusher.js';
import type { WebSocketConnection } from '../../../../net/websocket/connection.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeMessage, readMessage, type RoomMessage } from '../../messages/message.js';
import { RoomSocket } from '../room-socket.js';
import { Rooms } from '../rooms.js';

/* Rooms without sockets, time and disk: each of them is moved by hand. */

/** A log that becomes durable when it is told to. */
class HeldLog extends MemoryLog {
  isHeld = false;
  #durable: TxOffset = 0;
  readonly #listeners = new Set<(offset: TxOffset) => void>();

  override get durableOffset(): TxOffset {
    return this.isHeld ? this.#durable : this.lastOffset;
  }

  override onDurable(listener: (offset: TxOffset) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on nothing is durable until `sync`. */
  hold(): void {
    this.#durable = this.lastOffset;
    this.isHeld = true;
  }

  sync(): void {
    this.#durable = this.lastOffset;
    for (const listener of this.#listeners) listener(this.#durable);
  }
}

export class RoomFixture {
  readonly clock = new ManualClock();
  readonly errors: unknown[] = [];
  readonly turns = new TurnFlusher((error) => this.errors.push(error));
  readonly wheel = new TimerWheel(this.clock, (error) => this.errors.push(error));
  readonly log = new HeldLog();
  readonly documents = new DocumentStore();
  readonly rooms: Rooms;
  #count = 0;

  constructor(definitions: RoomDefinitions = { '*path': {} }) {
    const { documents, log, turns, wheel, clock } = this;
    documents.attachLog({
      append: (bytes, { identity: caller, connectionId }) => {
        const timestampMicros = clock.nowMicros();
        const sections = [{ kind: documents.kind, bytes: bytes.slice() }];
        const record = {
          timestampMicros,
          caller,
          connectionId,
          functionName: 'room',
          changes: undefined,
          sections,
        };
        return { offset: log.append(record), timestampMicros };
      },
      get durableOffset() {
        return log.durableOffset;
      },
    });
    this.rooms = new Rooms({
      host: {
        documents,
        log,
        sessions: new Set(),
        roomContext: (context) => context,
        onTablesChanged: () => () => {},
      },
      definitions,
      turns,
      wheel,
      onError: (error) => void this.errors.push(error),
    });
  }

  /** A socket that is open. Its first frame says which kind of client it is. */
  connect(pathRoom = 'r'): FakeSocket {
    this.#count += 1;
    return new FakeSocket(this, pathRoom, new Identity(BigInt(this.#count)));
  }

  /** Lets what is under way happen, and ends the turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => void setImmediate(resolve));
    this.turns.flush();
  }
}

/** What a client sends, and what it has heard. */
export class FakeSocket implements WebSocketConnection {
  readonly protocol = '';
  readonly remoteAddress = '';
  readonly bufferedBytes = 0;
  readonly frames: Uint8Array[] = [];
  /** When each of the frames was sent, monotonic. */
  readonly heardMs: number[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly handler: RoomSocket;
  readonly #fixture: RoomFixture;

  constructor(fixture: RoomFixture, pathRoom: string, identity: Identity) {
    this.#fixture = fixture;
    this.handler = new RoomSocket({
      rooms: fixture.rooms,
      connection: this,
      pathRoom,
      context: {
        sender: identity,
        connectionId: new ConnectionId(1n),
        tokenPayload: '{}',
        timestampMicros: 0,
      },
      verify: async () => ({ identity, payload: '{}' }),
    });
  }

  get isOpen(): boolean {
    return this.closed === undefined;
  }

  /** All messages heard, of every frame. @param address that Hocuspocus frames have to be for. */
  messages(address?: string): RoomMessage[] {
    const messages: RoomMessage[] = [];
    for (const frame of this.frames) {
      const reader = new VarReader(frame);
      if (address !== undefined && reader.readVarString() !== address) continue;
      // Hocuspocus' own types from 2 on are not the protocol's.
      if (address !== undefined && frame[reader.offset]! >= 2) continue;
      while (reader.remaining > 0) messages.push(readMessage(reader));
    }
    return messages;
  }

  kinds(address?: string): string[] {
    return this.messages(address).map(({ kind }) => kind);
  }

  /** As a client sends it. @param address of a Hocuspocus document. */
  send(message: Exclude<RoomMessage, { kind: 'unknown' }>, address?: string): this {
    const prefix = address === undefined ? [] : [...new VarWriter().writeVarString(address).finish()];
    return this.sendRaw(Uint8Array.of(...prefix, ...encodeMessage(message)));
  }

  /** Asks for everything. */
  sync(address?: string): this {
    return this.send({ kind: 'syncStep1', stateVector: Uint8Array.of(0) }, address);
  }

  sendRaw(frame: Uint8Array): this {
    if (this.isOpen) this.handler.onMessage(frame, false);
    return this;
  }

  sendBinary(...parts: Uint8Array[]): void {
    this.#hear(Uint8Array.from(parts.flatMap((part) => [...part])));
  }

  sendFrame(frames: Uint8Array): void {
    for (let at = 0; at < frames.length;) {
      let length = frames[at + 1]!;
      let start = at + 2;
      if (length === 126) {
        length = (frames[at + 2]! << 8) | frames[at + 3]!;
        start += 2;
      } else if (length === 127) {
        length = Number(new DataView(frames.buffer, frames.byteOffset + at + 2, 8).getBigUint64(0));
        start += 8;
      }
      this.#hear(frames.slice(start, start + length));
      at = start + length;
    }
  }

  #hear(frame: Uint8Array): void {
    if (!this.isOpen) return;
    this.frames.push(frame);
    this.heardMs.push(this.#fixture.clock.monotonicMs());
  }

  sendText(): void {
    throw new Error('rooms send no text');
  }

  close(code = 1000, reason = ''): void {
    if (!this.isOpen) return;
    this.closed = { code, reason };
    this.handler.onClose();
  }

  destroy(): void {
    this.close(1006);
  }
}
