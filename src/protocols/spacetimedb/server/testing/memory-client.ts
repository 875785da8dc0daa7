import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeClientMessage } from '../../messages/client-messages.js';
import { RESUMABLE_SUBPROTOCOL } from '../../messages/frame.js';
import { decodeResumableServerMessage, encodeResume } from '../../messages/resume-messages.js';
import type { ResumableClientMessage } from '../../messages/resume-messages.js';
import { decodeServerMessage } from '../../messages/server-messages.js';
import type { ServerMessage } from '../../messages/server-messages.js';
import { describeMessage } from '../../messages/testing/describe.js';
import type { SessionLink } from '../framing.js';
import type { SessionLimits } from '../limits.js';
import type { DatabaseRuntime } from '../runtime.js';
import { Session } from '../session.js';

export interface MemoryClientOptions {
  readonly version?: 'v2' | 'v3' | 'resumable';
  readonly confirmed?: boolean;
  readonly id?: bigint;
  readonly identity?: Identity;
  readonly limits?: Partial<SessionLimits>;
}

/** A client in the same process: what it receives is kept frame by frame, and described one line per message. */
export class MemoryClient implements SessionLink {
  readonly session: Session;
  readonly frames: Uint8Array[] = [];
  readonly errors: unknown[] = [];
  isOpen = true;
  closedWith: string | undefined;

  constructor(database: DatabaseRuntime, options: MemoryClientOptions = {}) {
    const { version = 'v3', confirmed = false, id = 1n, identity = new Identity(7n), limits = {} } = options;
    this.session = new Session({
      protocol: version === 'resumable' ? RESUMABLE_SUBPROTOCOL : `${version}.bsatn.spacetimedb`,
      database,
      caller: { identity, connectionId: new ConnectionId(id), tokenPayload: undefined },
      token: 'tok',
      confirmed,
      link: this,
      limits,
      onError: (error) => this.errors.push(error),
    });
  }

  send(...parts: Uint8Array[]): void {
    const writer = new ByteWriter();
    for (const part of parts) writer.writeRaw(part);
    if (this.isOpen) this.frames.push(writer.finish());
  }

  sendText(): void {
    throw new Error('v2 and v3 send no text');
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
  }

  /** Sends messages in one frame, as one turn. */
  say(...messages: readonly ResumableClientMessage[]): void {
    this.deliver(encodeFrame(messages));
  }

  deliver(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.session.receive(frame);
    this.session.endTurn();
  }

  /** What arrived since the last time, one line per message, ` / ` between frames. */
  trace(): string {
    return this.frames
      .splice(0)
      .map((frame) =>
        decodeWith(decodeResumableServerMessage, frame)
          .map((message) => describeMessage(message))
          .join('\n'),
      )
      .join('\n/\n');
  }
}

export function encodeFrame(messages: readonly ResumableClientMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) {
    if (message.kind === 'resume') encodeResume(writer, message);
    else encodeClientMessage(writer, message);
  }
  return writer.finish();
}

export function decodeFrame(frame: Uint8Array): ServerMessage[] {
  return decodeWith(decodeServerMessage, frame);
}

function decodeWith<M>(decode: (reader: ByteReader) => M, frame: Uint8Array): M[] {
  const reader = new ByteReader(frame);
  if (reader.readU8() !== 0) throw new Error('a frame that is not compressed starts with 0');
  const messages: M[] = [];
  while (reader.remaining > 0) messages.push(decode(reader));
  return messages;
}
