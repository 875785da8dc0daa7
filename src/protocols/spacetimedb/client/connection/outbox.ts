import { ByteWriter } from '../../../../base/byte-writer.js';
import { CLIENT_FRAME_BYTES, CLIENT_MESSAGE_BYTES_MAX } from '../../messages/frame.js';
import { ConnectionError } from '../errors.js';
import type { Transport } from '../transport/transport.js';

/*
 * What waits to be sent. Everything that is written in one microtask leaves in as few frames as the protocol allows;
 * what is written before the connection is open leaves when it opens.
 */

/** Two messages of the longest kind: then the application is too far ahead of the network to go on. */
export const BACKLOG_BYTES_MAX = 2 * CLIENT_MESSAGE_BYTES_MAX;

export class Outbox {
  readonly #writer = new ByteWriter(1024);
  /** Where each message ends. */
  #ends: number[] = [];
  #start = 0;
  #transport: Transport | undefined;
  #frameBytes = 0;
  #isScheduled = false;
  /** As of the last flush: asking the transport for every message would cost more than it tells. */
  #bufferedBytes = 0;
  readonly #backlogBytesMax: number;

  constructor(backlogBytesMax = BACKLOG_BYTES_MAX) {
    this.#backlogBytesMax = backlogBytesMax;
  }

  /** @param isBatching v3: several messages share a frame. */
  open(transport: Transport, isBatching: boolean): void {
    this.#transport = transport;
    this.#frameBytes = isBatching ? CLIENT_FRAME_BYTES : 0;
    this.flush();
  }

  /** Nothing leaves any more. */
  close(): void {
    this.#transport = undefined;
    this.#drop();
  }

  /** Starts a message; write it into what is returned and then call `end` or `cancel`, in the same turn. */
  begin(): ByteWriter {
    const waiting = this.#writer.length + this.#bufferedBytes;
    if (waiting > this.#backlogBytesMax) this.#refuseUnlessDrained(waiting);
    this.#start = this.#writer.length;
    return this.#writer;
  }

  end(): void {
    const writer = this.#writer;
    const messageBytes = writer.length - this.#start;
    if (messageBytes > CLIENT_MESSAGE_BYTES_MAX) {
      this.cancel();
      throw new ConnectionError(
        'BAD_ARGUMENTS',
        `a message of ${messageBytes} bytes is longer than the ${CLIENT_MESSAGE_BYTES_MAX} that servers accept`,
      );
    }
    this.#ends.push(writer.length);
    if (this.#isScheduled || this.#transport === undefined) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  cancel(): void {
    this.#writer.length = this.#start;
  }

  flush(): void {
    this.#isScheduled = false;
    const transport = this.#transport;
    if (transport === undefined || this.#ends.length === 0) return;
    const bytes = this.#writer.finish();
    const ends = this.#ends;
    this.#ends = [];
    let start = 0;
    for (let i = 0; i < ends.length; i++) {
      const next = ends[i + 1];
      if (next !== undefined && next - start <= this.#frameBytes) continue;
      transport.send(start === 0 && next === undefined ? bytes : bytes.subarray(start, ends[i]));
      start = ends[i]!;
    }
    this.#bufferedBytes = transport.bufferedBytes;
  }

  #refuseUnlessDrained(waiting: number): void {
    this.#bufferedBytes = this.#transport?.bufferedBytes ?? 0;
    if (this.#writer.length + this.#bufferedBytes <= this.#backlogBytesMax) return;
    throw new ConnectionError(
      'BACKLOG_FULL',
      `${waiting} bytes wait to be sent, more than the ${this.#backlogBytesMax} allowed: wait for answers`,
    );
  }

  #drop(): void {
    this.#writer.reset();
    this.#ends = [];
  }
}
