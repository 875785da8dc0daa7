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
import type { FrameLink, FrameListener } from './frames.js';
import { Inbox } from './inbox.js';

/** A client that speaks messages and remembers what it was told. */
export class WireClient implements FrameListener {
  link!: FrameLink;
  readonly framesReceived: number[] = [];
  readonly #inbox = new Inbox<ServerMessage>();
  #nextRequest = 1;

  onFrame(frame: Uint8Array): void {
    const reader = new ByteReader(frame.slice());
    if (reader.readU8() !== 0) throw new Error('a compressed frame');
    let count = 0;
    for (; reader.remaining > 0; count++) this.#inbox.push(decodeServerMessage(reader));
    this.framesReceived.push(count);
  }

  onText(): void {
    throw new Error('v2 and v3 say no text');
  }

  onClose(code: number, reason: string): void {
    this.#inbox.end(code, reason);
  }

  /** Sends messages, one frame each on v2. @param joined all in one frame, as v3 allows. */
  say(messages: readonly ClientMessage[], joined = false): void {
    const frames = joined ? [encodeFrame(messages)] : messages.map((message) => encodeFrame([message]));
    this.link.send(frames);
  }

  /** The next message, waiting for it. */
  next(): Promise<ServerMessage> {
    return this.#inbox.next();
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
  end(): Promise<string> {
    return this.#inbox.ended();
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
