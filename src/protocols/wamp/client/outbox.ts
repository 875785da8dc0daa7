import type { ErrorMessage, Message } from './message.js';
import * as Uris from '../messages/uris.js';
import { TransportError, WampError } from './errors.js';
import type { IdGenerator } from './id-generator.js';
import type { Frame, Transport } from './transport/transport.js';

/**
 * Something that gets a request id when it leaves, not before: what cannot be encoded takes none, so that ids on the wire
 * have no gaps.
 */
export interface Request {
  toMessage(requestId: number): Message;
  /** It has left with this id. */
  sent(requestId: number): void;
  /** It could not be sent: its values have no form in the serializer, it is too long, or the connection is gone. */
  refused(error: Error): void;
  /** Nobody wants it any more: it does not leave. */
  readonly isWithdrawn?: boolean;
  /** It goes on with an earlier request, and has its id. */
  readonly isFollowUp?: boolean;
}

/** A message that needs no request id, or has one already. */
export interface Sending {
  readonly message: Message;
  readonly refused?: ((error: Error) => void) | undefined;
}

/** What is to be sent. All of one turn leaves together, in order, at the end of the running task. */
export class Outbox {
  readonly #transport: Transport;
  readonly #idGenerator: IdGenerator;
  #waiting: (Request | Sending)[] = [];
  #isClosed = false;

  constructor(transport: Transport, idGenerator: IdGenerator) {
    this.#transport = transport;
    this.#idGenerator = idGenerator;
  }

  add(item: Request | Sending): void {
    if (this.#isClosed) {
      item.refused?.(new TransportError('the session is over'));
      return;
    }
    if (this.#waiting.push(item) === 1) queueMicrotask(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const frames: Frame[] = [];
    for (const item of waiting) {
      const frame = this.#encode(item);
      if (frame !== undefined) frames.push(frame);
    }
    if (frames.length > 0) this.#transport.send(frames);
  }

  /** Refuses what waits and what comes. */
  close(): void {
    this.#isClosed = true;
    for (const item of this.#waiting.splice(0)) item.refused?.(new TransportError('the session is over'));
  }

  #encode(item: Request | Sending): Frame | undefined {
    try {
      if ('message' in item) return this.#checked(item.message);
      if (item.isWithdrawn === true) return undefined;
      const id = this.#idGenerator.peek();
      const frame = this.#checked(item.toMessage(id));
      if (item.isFollowUp !== true) {
        this.#idGenerator.next();
        item.sent(id);
      }
      return frame;
    } catch (error) {
      item.refused?.(error as Error);
      return undefined;
    }
  }

  #checked(message: Message): Frame {
    const { serializer, frameBytesMax } = this.#transport;
    const frame = serializer.encode(message);
    // No text has more bytes than three for each of its units: most need not be counted.
    if (frameBytesMax !== undefined && frame.length * 3 > frameBytesMax) {
      const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.length;
      if (bytes > frameBytesMax) throw tooLong(bytes, frameBytesMax);
    }
    return frame;
  }
}

function tooLong(bytes: number, bytesMax: number): WampError {
  return new WampError(Uris.payloadSizeExceeded, [
    `${bytes} bytes are more than the ${bytesMax} that the router takes`,
  ]);
}

/** The exception-to-be of an ERROR. */
export function errorOf({ error, payload, details }: ErrorMessage): WampError {
  return new WampError(error, payload.args, payload.kwargs, details);
}
