import { ByteReader } from '../../src/base/byte-reader.js';
import { ByteWriter } from '../../src/base/byte-writer.js';
import { compileCodec } from '../../src/values/bsatn/codec.js';
import type { Codec } from '../../src/values/bsatn/codec.js';
import { Identity } from '../../src/values/identity.js';
import { encodeClientMessage } from '../../src/protocols/spacetimedb/messages/client-messages.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/client-messages.js';
import { decodeServerMessage } from '../../src/protocols/spacetimedb/messages/server-messages.js';
import type {
  InitialConnection,
  ServerMessage,
} from '../../src/protocols/spacetimedb/messages/server-messages.js';
import { describeMessage } from '../../src/protocols/spacetimedb/messages/testing/describe.js';
import { module } from './chat-module.js';

/** Frames to and from a server, whatever carries them. */
export interface FrameLink {
  /** Frames that arrive together, as from one chunk of a stream. */
  send(frames: readonly Uint8Array[]): void;
  sendText(text: string): void;
  close(): void;
}

/** What a link tells. */
export interface FrameListener {
  onFrame(frame: Uint8Array): void;
  onClose(code: number, reason: string): void;
}

// Ours: far above any answer's time; a test that reaches it has failed.
const PATIENCE_MS = 5000;

/** A client that speaks messages and remembers what it was told. */
export class WireClient implements FrameListener {
  link!: FrameLink;
  readonly framesReceived: number[] = [];
  closed: string | undefined;
  #inbox: ServerMessage[] = [];
  #wake: (() => void) | undefined;
  #nextRequest = 1;

  onFrame(frame: Uint8Array): void {
    const reader = new ByteReader(frame.slice());
    if (reader.readU8() !== 0) throw new Error('a compressed frame');
    let count = 0;
    for (; reader.remaining > 0; count++) this.#inbox.push(decodeServerMessage(reader));
    this.framesReceived.push(count);
    this.#wake?.();
  }

  onClose(code: number, reason: string): void {
    this.closed = `${code} ${reason}`.trim();
    this.#wake?.();
  }

  /** Sends messages, one frame each on v2. @param joined all in one frame, as v3 allows. */
  say(messages: readonly ClientMessage[], joined = false): void {
    const frames = joined ? [encodeFrame(messages)] : messages.map((message) => encodeFrame([message]));
    this.link.send(frames);
  }

  /** The next message, waiting for it. */
  async next(): Promise<ServerMessage> {
    await this.#until(() => this.#inbox.length > 0 || this.closed !== undefined);
    const message = this.#inbox.shift();
    if (message === undefined) throw new Error(`the connection was closed: ${this.closed ?? ''}`);
    return message;
  }

  async hello(): Promise<InitialConnection> {
    const message = await this.next();
    if (message.kind !== 'initialConnection') throw new Error(`expected hello, got ${describe(message)}`);
    return message;
  }

  /** The next `count` messages as text, one line each. */
  async hear(count: number): Promise<string> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(describe(await this.next()));
    return lines.join('\n');
  }

  /** What was heard up to the answer to a call that does nothing, which is not in it: everything said so far. */
  async hearAll(): Promise<string> {
    const requestId = 0xffff_0000 + this.#nextRequest++;
    this.say([{ kind: 'callProcedure', requestId, procedure: '', args: new Uint8Array(0) }]);
    const lines: string[] = [];
    for (;;) {
      const message = await this.next();
      if (message.kind === 'procedureResult' && message.requestId === requestId) return lines.join('\n');
      lines.push(describe(message));
    }
  }

  /** The close code and reason, waiting for the end. */
  async end(): Promise<string> {
    await this.#until(() => this.closed !== undefined);
    return this.closed!;
  }

  async #until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!condition()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      });
      clearTimeout(timer);
      if (!condition() && Date.now() >= deadline) throw new Error('the server says nothing');
    }
  }
}

export function encodeFrame(messages: readonly ClientMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) encodeClientMessage(writer, message);
  return writer.finish();
}

const { tables, typespace } = module.def.schema;
const rowCodecs = new Map<string, Codec>(
  tables.map(({ name, rowType }) => [name, compileCodec(rowType, typespace)]),
);

/** A row as its values with colons: `1:ada`. Identities are shortened to their last digits. */
export function describeRow(table: string, row: Uint8Array): string {
  const reader = new ByteReader(row);
  const value = rowCodecs.get(table)!.decode(reader) as Readonly<Record<string, unknown>>;
  reader.expectEnd();
  return Object.values(value)
    .map((part) => (part instanceof Identity ? part.toHexString().slice(-4) : String(part)))
    .join(':');
}

function describe(message: ServerMessage): string {
  return describeMessage(message, describeRow);
}
