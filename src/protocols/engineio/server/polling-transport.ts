import type { IncomingMessage, ServerResponse } from 'node:http';

import { packetBytes } from '../messages/packet-codec.js';
import { NoopPacket, type Packet, type ProtocolVersion } from '../messages/packet.js';
import { PacketError } from '../messages/packet-error.js';
import { countFitting, encodePayload, isPollable, type PayloadLimits } from '../messages/payload.js';
import { POLL_BYTES_MAX, PYTHON_PACKETS_MAX } from './options.js';
import { writePoll } from './poll-response.js';
import { decodePost, readPost } from './read-post.js';
import { type RefusalCode, RefusalCode as Code } from './refusal.js';
import type { RequestQuery } from './request-query.js';
import type { CloseReason, SessionHost, SessionState } from './session-host.js';

/** What a request of an existing session is to be answered with, other than by the session itself. */
export type RequestVerdict = { readonly code: RefusalCode; readonly name: string } | undefined;

/** Answers a POST. */
export type PostResponder = (status: number, body: string) => void;

/** The session, as its polling transport sees it. */
export interface PollingOwner {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  readonly state: SessionState;
  /** Must not throw. */
  receivePacket(packet: Packet): void;
  /** All packets of a POST were received. */
  endPost(): void;
  /** A GET waits, and there is nothing to be said. */
  onPollHeld(): void;
  /** Everything that waited has left with a GET's answer. */
  onFetched(): void;
  fail(reason: CloseReason, description: string): void;
}

/** The HTTP half of a session: packets that wait for a GET, at most one GET that waits for packets, at most one POST that is read. */
export class PollingTransport {
  readonly #owner: PollingOwner;
  readonly #host: SessionHost;
  readonly #limits: PayloadLimits;
  #queue: Packet[] = [];
  #queueBytes = 0;
  #isFlushQueued = false;
  #isPosting = false;
  #isHandshake = true;
  #request: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
  #query: RequestQuery | undefined;

  constructor(owner: PollingOwner, host: SessionHost, userAgent: string | undefined) {
    this.#owner = owner;
    this.#host = host;
    const isPython = userAgent !== undefined && /^(?:Python\/|python-requests\/)/.test(userAgent);
    this.#limits = { bytesMax: POLL_BYTES_MAX, packetsMax: isPython ? PYTHON_PACKETS_MAX : Infinity };
  }

  /** Packets that wait for the client to fetch them. */
  get queue(): readonly Packet[] {
    return this.#queue;
  }

  get queueBytes(): number {
    return this.#queueBytes;
  }

  /** Queues a message. Throws PacketError for text that cannot travel this way. */
  sendMessage(packet: Packet): void {
    if (this.#owner.protocol === 4 && !isPollable(packet)) encodePayload([packet]);
    this.send(packet);
  }

  /** Leaves with the GET that waits when the turn ends, or with the next one. */
  send(packet: Packet): void {
    this.#queue.push(packet);
    this.#queueBytes += packetBytes(packet);
    if (this.#queueBytes > this.#host.settings.queueBytesMax) {
      return this.#owner.fail('transport error', 'the client does not fetch what it is sent');
    }
    // What is said in the beginning leaves with the open packet.
    if (this.#isFlushQueued || this.#response === undefined || this.#owner.state === 'opening') return;
    this.#isFlushQueued = true;
    this.#host.turns.beforeFlush(() => {
      this.#isFlushQueued = false;
      this.flush();
    });
  }

  /** All packets that wait; they are the caller's now. */
  takeQueue(): readonly Packet[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#queueBytes = 0;
    return queue;
  }

  /** A GET. It is answered now or later, unless a refusal is returned. */
  receivePoll(request: IncomingMessage, response: ServerResponse, query: RequestQuery): RequestVerdict {
    if (this.#response !== undefined) {
      this.#owner.fail('transport error', 'overlap from client');
      return OVERLAP;
    }
    this.hold(request, response, query);
    if (this.#queue.length > 0) this.flush();
    else this.#owner.onPollHeld();
    return undefined;
  }

  /** Keeps a GET until there is something to say. */
  hold(request: IncomingMessage, response: ServerResponse, query: RequestQuery): void {
    this.#request = request;
    this.#response = response;
    this.#query = query;
    response.on('close', () => {
      if (this.#response !== response) return;
      this.#forgetPoll();
      this.#owner.fail('transport error', 'the client ended a poll');
    });
  }

  /** A POST. It is answered with `respond`, unless a refusal is returned. */
  receivePost(request: IncomingMessage, query: RequestQuery, respond: PostResponder): RequestVerdict {
    if (this.#isPosting) {
      this.#owner.fail('transport error', 'overlap from client');
      return OVERLAP;
    }
    this.#isPosting = true;
    readPost(request, this.#host.settings.maxPayloadBytes, (outcome) => {
      this.#isPosting = false;
      if (outcome.kind === 'aborted') this.#owner.fail('transport error', 'the client ended a POST');
      else if (outcome.kind === 'too large') respond(413, 'the payload is too large');
      else this.#acceptPost(request, outcome.bytes, query.jsonp !== undefined, respond);
    });
    return undefined;
  }

  #acceptPost(request: IncomingMessage, bytes: Buffer, isJsonp: boolean, respond: PostResponder): void {
    let packets: readonly Packet[];
    try {
      packets = decodePost(bytes, this.#owner.protocol, request.headers['content-type'], isJsonp);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      respond(400, error.message);
      this.#owner.fail('parse error', error.message);
      return;
    }
    for (const packet of packets) this.#owner.receivePacket(packet);
    this.#owner.endPost();
    respond(200, 'ok');
  }

  /** Lets a waiting GET go, with nothing if need be, so that the client can stop polling. */
  release(): void {
    if (this.#queue.length > 0) this.flush();
    else this.answer([NoopPacket]);
  }

  /** Answers the GET that waits with what waits for it. */
  flush(): void {
    const count = this.#queue.length;
    if (this.#response === undefined || count === 0 || this.#owner.state === 'closed') return;
    const fitting = countFitting(this.#queue, this.#limits);
    const packets = fitting === count ? this.takeQueue() : this.#queue.splice(0, fitting);
    if (fitting < count) for (const packet of packets) this.#queueBytes -= packetBytes(packet);
    this.answer(packets);
    if (this.#queue.length === 0) this.#owner.onFetched();
  }

  /** Answers the GET that waits, if there is one. */
  answer(packets: readonly Packet[]): void {
    const request = this.#request;
    const response = this.#response;
    const query = this.#query;
    if (request === undefined || response === undefined || query === undefined) return;
    this.#forgetPoll();
    const headers = this.#host.makeHeaders(request, this.#isHandshake, this.#owner.id);
    this.#isHandshake = false;
    writePoll(request, response, headers, packets, {
      protocol: this.#owner.protocol,
      isBinary: query.b64 === undefined,
      jsonp: query.jsonp?.replaceAll(/\D/g, ''),
      compression: this.#host.settings.compression,
    });
  }

  #forgetPoll(): void {
    this.#request = this.#response = this.#query = undefined;
  }
}

const OVERLAP: RequestVerdict = { code: Code.badRequest, name: 'OVERLAP' };
