import { encodeFrame, Opcode } from '../../../net/websocket/frame.js';
import { type Dict, type Event, MessageType } from '../messages/message.js';
import { MessageError } from '../messages/message-error.js';
import type { Payload } from '../messages/payload.js';
import { encodeRawFrame, FrameType } from '../messages/raw-socket.js';
import type { Serializer, Wire } from '../messages/serializer.js';

const utf8 = new TextEncoder();

/** Octets of a message, whatever the serializer. */
export function wireBytes(wire: Wire): Uint8Array {
  return typeof wire === 'string' ? utf8.encode(wire) : wire;
}

interface Encoding {
  readonly serializer: Serializer;
  readonly wire: Wire | undefined;
  webSocket: Uint8Array | undefined;
  raw: Uint8Array | undefined;
}

/** One EVENT for all receivers of a subscription: encoded once per serializer, framed once per kind of transport. */
export class SharedEvent {
  readonly message: Event;
  #encodings: Encoding[] = [];

  constructor(subscription: number, publication: number, details: Dict, payload: Payload) {
    this.message = { type: MessageType.event, subscription, publication, details, payload };
  }

  /** Undefined if a value has no form in this serializer: then there is nothing to send. */
  wireFor(serializer: Serializer): Wire | undefined {
    return this.#encodingFor(serializer).wire;
  }

  webSocketFrameFor(serializer: Serializer): Uint8Array | undefined {
    const encoding = this.#encodingFor(serializer);
    if (encoding.wire === undefined) return undefined;
    const opcode = serializer.isBinary ? Opcode.binary : Opcode.text;
    return (encoding.webSocket ??= encodeFrame(opcode, wireBytes(encoding.wire)));
  }

  rawFrameFor(serializer: Serializer): Uint8Array | undefined {
    const encoding = this.#encodingFor(serializer);
    if (encoding.wire === undefined) return undefined;
    return (encoding.raw ??= encodeRawFrame(FrameType.message, wireBytes(encoding.wire)));
  }

  #encodingFor(serializer: Serializer): Encoding {
    for (const encoding of this.#encodings) if (encoding.serializer === serializer) return encoding;
    const encoding = { serializer, wire: this.#encode(serializer), webSocket: undefined, raw: undefined };
    this.#encodings.push(encoding);
    return encoding;
  }

  #encode(serializer: Serializer): Wire | undefined {
    try {
      return serializer.encode(this.message);
    } catch (error) {
      if (error instanceof MessageError) return undefined;
      throw error;
    }
  }
}
