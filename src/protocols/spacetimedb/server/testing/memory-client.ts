import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeClientMessage } from '../../messages/client-messages.js';
import type { ClientMessage } from '../../messages/client-messages.js';
import type { Subprotocol } from '../../messages/frame.js';
import { decodeServerMessage } from '../../messages/server-messages.js';
import type { ServerMessage } from '../../messages/server-messages.js';
import { describeMessage } from '../../messages/testing/describe.js';
import type { SessionLink } from '../framing.js';
import type { SessionLimits } from '../limits.js';
import type { DatabaseRuntime } from '../runtime.js';
import { Session } from '../session.js';

export interface MemoryClientOptions {
  readonly version?: 'v2' | 'v3';
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
      protocol: `${version}.bsatn.spacetimedb` satisfies Subprotocol,
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
  say(...messages: readonly ClientMessage[]): void {
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
        decodeFrame(frame)
          .map((message) => describeMessage(message))
          .join('\n'),
      )
      .join('\n/\n');
  }
}

export function encodeFrame(messages: readonly ClientMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) encodeClientMessage(writer, message);
  return writer.finish();
}

export function decodeFrame(frame: Uint8Array): ServerMessage[] {
  const reader = new ByteReader(frame);
  if (reader.readU8() !== 0) throw new Error('a frame that is not compressed starts with 0');
  const messages: ServerMessage[] = [];
  while (reader.remaining > 0) messages.push(decodeServerMessage(reader));
  return messages;
}
