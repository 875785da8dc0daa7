import type { TurnFlusher } from '../../../../net/turn-flusher.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../../net/websocket/connection.js';
import { joinBatch, splitBatch } from '../../messages/batch.js';
import type { RouterMessage } from '../../messages/message.js';
import { MessageError } from '../../messages/message-error.js';
import type { Serializer, Wire } from '../../messages/serializer.js';
import type { Connection } from '../connection.js';
import type { Output, Sending, TransportInfo } from '../output.js';
import type { WampRouter } from '../router.js';
import type { SharedEvent } from '../shared-event.js';
import { encodeOrNothing } from './encode-or-nothing.js';

/** Opens a session's transport over a WebSocket. Without `batch` every message is a frame of its own. */
export function serveWebSocket(
  router: WampRouter,
  socket: WebSocketConnection,
  serializer: Serializer,
  info: TransportInfo,
  batch?: TurnFlusher,
): WebSocketHandler {
  const output =
    batch === undefined
      ? new WebSocketOutput(socket, serializer)
      : new BatchedOutput(socket, serializer, batch);
  const connection = router.connect(output, info);
  return {
    onMessage: (data, isText) => {
      try {
        if (isText === serializer.isBinary) throw new MessageError('UNDECODABLE', 'the wrong kind of frame');
        // The view is good during the call only, and payloads may be kept.
        const wire: Wire = isText ? textOf(data) : data.slice();
        if (batch === undefined) connection.receive(serializer.decode(wire), data.length);
        else receiveBatch(connection, serializer, wire);
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        connection.receiveGarbage(error);
      }
    },
    onClose: () => connection.lose(),
  };
}

function receiveBatch(connection: Connection, serializer: Serializer, frame: Wire): void {
  for (const wire of splitBatch(serializer, frame)) connection.receive(serializer.decode(wire), wire.length);
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}

class WebSocketOutput implements Output {
  protected readonly socket: WebSocketConnection;
  protected readonly serializer: Serializer;

  constructor(socket: WebSocketConnection, serializer: Serializer) {
    this.socket = socket;
    this.serializer = serializer;
  }

  get queuedBytes(): number {
    return this.socket.bufferedBytes;
  }

  send(message: RouterMessage): Sending {
    const wire = encodeOrNothing(this.serializer, message);
    if (wire === undefined) return 'unencodable';
    this.sendWire(wire);
    return 'sent';
  }

  end(): void {
    this.socket.close();
  }

  sendEvent(event: SharedEvent): void {
    const frame = event.webSocketFrameFor(this.serializer);
    if (frame !== undefined) this.socket.sendFrame(frame);
  }

  protected sendWire(wire: Wire): void {
    if (typeof wire === 'string') this.socket.sendText(wire);
    else this.socket.sendBinary(wire);
  }
}

/** All messages of a turn in one frame. */
class BatchedOutput extends WebSocketOutput {
  readonly #turns: TurnFlusher;
  #messages: Wire[] = [];
  #bytes = 0;

  constructor(socket: WebSocketConnection, serializer: Serializer, turns: TurnFlusher) {
    super(socket, serializer);
    this.#turns = turns;
  }

  override get queuedBytes(): number {
    return this.socket.bufferedBytes + this.#bytes;
  }

  override end(): void {
    this.#flush();
    super.end();
  }

  override sendEvent(event: SharedEvent): void {
    const wire = event.wireFor(this.serializer);
    if (wire !== undefined) this.sendWire(wire);
  }

  protected override sendWire(wire: Wire): void {
    if (this.#messages.length === 0) this.#turns.beforeFlush(() => this.#flush());
    this.#messages.push(wire);
    this.#bytes += wire.length;
  }

  #flush(): void {
    if (this.#messages.length === 0) return;
    const frame = joinBatch(this.serializer, this.#messages);
    this.#messages = [];
    this.#bytes = 0;
    super.sendWire(frame);
  }
}
