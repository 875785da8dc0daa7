import { isUtf8 } from 'node:buffer';

import { CloseCode, isCloseCodeAllowed } from './close-code.js';
import { CONTROL_BYTES_MAX, Opcode } from './frame.js';
import { unmask } from './mask.js';
import { MessageAssembly } from './message-assembly.js';

/*
 * The receiving half of RFC 6455 for a server; the layout of a frame stands in frame.ts.
 * Lengths that need fewer bits than they take are accepted: nothing can go wrong with them, and a
 * hand-made client may send them.
 */

/** What becomes of the octets. Payloads are views that are good until the call returns. */
export interface FrameSink {
  onMessage(data: Uint8Array, isText: boolean): void;
  onPing(data: Uint8Array): void;
  onPong(data: Uint8Array): void;
  /** The peer's close frame; 1005 if it carried no code. Nothing follows. */
  onCloseFrame(code: number, reason: string): void;
  /** The peer broke the rules and is to be closed with this code. Nothing follows. */
  onViolation(code: number, reason: string): void;
}

export interface ReceiverLimits {
  readonly messageBytesMax: number;
  readonly fragmentsMax: number;
}

// 2 octets, 64-bit length, masking key.
const HEADER_BYTES_MAX = 14;

/**
 * Turns chunks of a TCP stream into messages. All whole frames of a chunk are handled in one pass, without
 * copying; only what is split over chunks or fragments is collected.
 */
export class FrameReceiver {
  readonly #sink: FrameSink;
  readonly #limits: ReceiverLimits;
  #isStopped = false;

  /** A header that the end of a chunk has cut off. */
  #header: Uint8Array | undefined;
  #headerHave = 0;

  /** A frame whose payload is not complete: its first two octets, key, size, and octets that came. */
  #frameStart = 0;
  #key = 0;
  #payloadBytes = 0;
  #payloadHave = -1;
  #control: Uint8Array | undefined;

  /** A message whose last fragment has not come; 0 if none. */
  #messageOpcode = 0;
  #fragmentCount = 0;
  #assembly: MessageAssembly | undefined;

  constructor(sink: FrameSink, limits: ReceiverLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether a message or frame has begun and not ended. */
  get isMidMessage(): boolean {
    return this.#messageOpcode !== 0 || this.#payloadHave >= 0 || this.#headerHave > 0;
  }

  /** Ignores everything from now on, the rest of the current chunk included, and frees what was collected. */
  stop(): void {
    this.#isStopped = true;
    this.#assembly = undefined;
    this.#control = undefined;
    this.#header = undefined;
  }

  /** Takes the next chunk of the stream. The chunk is unmasked in place: it belongs to the receiver. */
  receive(chunk: Uint8Array): void {
    let offset = 0;
    if (this.#headerHave > 0) offset = this.#continueHeader(chunk);
    if (this.#payloadHave >= 0) offset = this.#continuePayload(chunk, offset);
    const end = chunk.length;
    while (offset < end && !this.#isStopped) {
      if (end - offset < 2) return this.#keepHeader(chunk, offset);
      const start = (chunk[offset]! << 8) | chunk[offset + 1]!;
      if (!this.#checkStart(start)) return;
      const behind = offset + headerBytesOf(start);
      if (behind > end) return this.#keepHeader(chunk, offset);
      if (!this.#readHeader(chunk, offset, start)) return;
      offset = behind;
      const payloadEnd = offset + this.#payloadBytes;
      if (payloadEnd > end) {
        this.#payloadHave = 0;
        this.#continuePayload(chunk, offset);
        return;
      }
      unmask(chunk, offset, payloadEnd, this.#key, 0);
      this.#acceptFrame(start, chunk.subarray(offset, payloadEnd));
      offset = payloadEnd;
    }
  }

  /** Everything that the first two octets give away. */
  #checkStart(start: number): boolean {
    const opcode = (start >>> 8) & 0x0f;
    const isFinal = (start & 0x8000) !== 0;
    if ((start & 0x7000) !== 0) return this.#violate('reserved bits are set, no extension was negotiated');
    if ((start & 0x80) === 0) return this.#violate('client frames must be masked');
    if (opcode >= 8) {
      if (opcode > Opcode.pong) return this.#violate(`unknown opcode ${opcode}`);
      if (!isFinal) return this.#violate('control frames must not be fragmented');
      if ((start & 0x7f) > CONTROL_BYTES_MAX) return this.#violate('control frames carry at most 125 bytes');
      return true;
    }
    if (opcode > Opcode.binary) return this.#violate(`unknown opcode ${opcode}`);
    if (opcode === Opcode.continuation) {
      if (this.#messageOpcode === 0) return this.#violate('continuation of nothing');
    } else if (this.#messageOpcode !== 0) return this.#violate('the previous message was not finished');
    return true;
  }

  #readHeader(bytes: Uint8Array, offset: number, start: number): boolean {
    let at = offset + 2;
    let length = start & 0x7f;
    if (length === 126) {
      length = (bytes[at]! << 8) | bytes[at + 1]!;
      at += 2;
    } else if (length === 127) {
      const high = readUint32(bytes, at);
      if (high >= 0x8000_0000) return this.#violate('the top bit of a length must be zero');
      length = high * 0x1_0000_0000 + readUint32(bytes, at + 4);
      at += 8;
    }
    this.#frameStart = start;
    this.#payloadBytes = length;
    this.#key = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if ((start & 0x0800) !== 0) return true;
    const messageBytes = length + (this.#messageOpcode === 0 ? 0 : (this.#assembly?.length ?? 0));
    // Known from the header alone: nothing is allocated for a length that lies.
    if (messageBytes > this.#limits.messageBytesMax) {
      const limit = this.#limits.messageBytesMax;
      return this.#fail(CloseCode.messageTooBig, `message of ${messageBytes} bytes, limit ${limit}`);
    }
    return true;
  }

  #keepHeader(chunk: Uint8Array, offset: number): void {
    this.#header ??= new Uint8Array(HEADER_BYTES_MAX);
    this.#header.set(chunk.subarray(offset));
    this.#headerHave = chunk.length - offset;
  }

  /** Completes a header that began in an earlier chunk; returns the offset of what follows it. */
  #continueHeader(chunk: Uint8Array): number {
    const header = this.#header;
    if (header === undefined || this.#isStopped) return chunk.length;
    let offset = 0;
    for (let need = 2; offset < chunk.length;) {
      header[this.#headerHave++] = chunk[offset++]!;
      if (this.#headerHave < need) continue;
      const start = (header[0]! << 8) | header[1]!;
      if (this.#headerHave === 2 && !this.#checkStart(start)) return chunk.length;
      need = headerBytesOf(start);
      if (this.#headerHave < need) continue;
      this.#headerHave = 0;
      if (!this.#readHeader(header, 0, start)) return chunk.length;
      this.#payloadHave = 0;
      return offset;
    }
    return offset;
  }

  /** Collects payload of a frame that is split over chunks; returns the offset of what follows it. */
  #continuePayload(chunk: Uint8Array, offset: number): number {
    if (this.#isStopped) return chunk.length;
    const have = this.#payloadHave;
    const end = Math.min(chunk.length, offset + this.#payloadBytes - have);
    unmask(chunk, offset, end, this.#key, have);
    const isControl = (this.#frameStart & 0x0800) !== 0;
    if (isControl) {
      this.#control ??= new Uint8Array(CONTROL_BYTES_MAX);
      this.#control.set(chunk.subarray(offset, end), have);
    } else {
      this.#assembly ??= new MessageAssembly();
      this.#assembly.append(chunk, offset, end, this.#payloadBytes - have);
    }
    this.#payloadHave = have + end - offset;
    if (this.#payloadHave < this.#payloadBytes) return end;
    this.#payloadHave = -1;
    if (isControl) this.#acceptControl(this.#frameStart, this.#control!.subarray(0, this.#payloadBytes));
    else this.#acceptCollected(this.#frameStart);
    return end;
  }

  /** A frame that lies whole in its chunk. */
  #acceptFrame(start: number, payload: Uint8Array): void {
    if ((start & 0x0800) !== 0) return this.#acceptControl(start, payload);
    if (this.#messageOpcode === 0 && (start & 0x8000) !== 0) {
      return this.#deliver(payload, (start & 0x0f00) === 0x0100);
    }
    this.#assembly ??= new MessageAssembly();
    this.#assembly.append(payload, 0, payload.length, payload.length);
    this.#acceptCollected(start);
  }

  /** A data frame whose payload was added to the assembly. */
  #acceptCollected(start: number): void {
    if (this.#messageOpcode === 0) {
      this.#messageOpcode = (start >>> 8) & 0x0f;
      this.#fragmentCount = 0;
    }
    if (++this.#fragmentCount > this.#limits.fragmentsMax) {
      this.#fail(CloseCode.policyViolation, `more than ${this.#limits.fragmentsMax} fragments`);
      return;
    }
    if ((start & 0x8000) === 0) return;
    const isText = this.#messageOpcode === Opcode.text;
    const message = this.#assembly!.take();
    this.#assembly = undefined;
    this.#messageOpcode = 0;
    this.#deliver(message, isText);
  }

  #deliver(message: Uint8Array, isText: boolean): void {
    if (isText && !isUtf8(message)) {
      this.#fail(CloseCode.invalidPayload, 'text is not valid UTF-8');
      return;
    }
    this.#sink.onMessage(message, isText);
  }

  #acceptControl(start: number, payload: Uint8Array): void {
    const opcode = (start >>> 8) & 0x0f;
    if (opcode === Opcode.ping) return this.#sink.onPing(payload);
    if (opcode === Opcode.pong) return this.#sink.onPong(payload);
    this.#acceptClose(payload);
  }

  #acceptClose(payload: Uint8Array): void {
    if (payload.length === 1) return void this.#violate('a close frame carries 0 or at least 2 bytes');
    const code = payload.length === 0 ? CloseCode.none : (payload[0]! << 8) | payload[1]!;
    if (code !== CloseCode.none || payload.length > 0) {
      if (!isCloseCodeAllowed(code)) return void this.#violate(`close code ${code} is not allowed`);
    }
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) {
      return void this.#fail(CloseCode.invalidPayload, 'the close reason is not valid UTF-8');
    }
    this.stop();
    this.#sink.onCloseFrame(code, Buffer.from(reason).toString('utf8'));
  }

  #violate(reason: string): false {
    return this.#fail(CloseCode.protocolError, reason);
  }

  #fail(code: number, reason: string): false {
    this.stop();
    this.#sink.onViolation(code, reason);
    return false;
  }
}

/** Octets of a masked frame's header, from its first two. */
function headerBytesOf(start: number): number {
  const length = start & 0x7f;
  if (length < 126) return 6;
  return length === 126 ? 8 : 14;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
