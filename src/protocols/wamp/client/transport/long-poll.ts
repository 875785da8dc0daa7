import { joinBatch, splitBatch } from '../../messages/batch.js';
import { findSubprotocol, subprotocolOf } from '../../messages/serializer.js';
import type { Serializer } from '../serializer/serializer.js';
import { TransportError } from '../errors.js';
import { EventBuffer } from './event-buffer.js';
import type { Frame, OpenTransport, Transport, TransportEvents } from './transport.js';

/*
 * Long-poll, for networks without WebSocket:
 *
 *   POST BASE/open                 { "protocols": ["wamp.2.json"] } -> { "protocol", "transport" }
 *   POST BASE/TRANSPORT/receive    held until there is a message; 200 with it
 *   POST BASE/TRANSPORT/send       one message; 202
 *   POST BASE/TRANSPORT/close      202
 *
 * In batched mode, which is asked for first, `receive` and `send` carry all messages that there are at a time.
 */

/** `connect('http://host/wamp/lp', { realm, openTransport: openLongPoll })` */
export const openLongPoll: OpenTransport = async ({ url, serializers, signal }) => {
  const base = url.href.replace(/\/$/, '');
  const protocols = serializers.flatMap((serializer) => [
    subprotocolOf(serializer, true),
    subprotocolOf(serializer),
  ]);
  try {
    const response = await post(`${base}/open`, JSON.stringify({ protocols }), signal);
    const { protocol, transport } = (await response.json()) as { protocol?: unknown; transport?: unknown };
    const found = findSubprotocol(String(protocol), serializers);
    if (found === undefined || typeof transport !== 'string') throw new Error('unknown answer');
    return new LongPollTransport(
      `${base}/${encodeURIComponent(transport)}`,
      found.serializer,
      found.isBatched,
    );
  } catch (error) {
    throw new TransportError(`${url.href} does not open a transport`, error);
  }
};

class LongPollTransport implements Transport {
  readonly serializer: Serializer;
  readonly #url: string;
  readonly #isBatched: boolean;
  readonly #events = new EventBuffer();
  readonly #abort = new AbortController();
  #waiting: Frame[] = [];
  #isSending = false;
  bufferedBytes = 0;

  constructor(url: string, serializer: Serializer, isBatched: boolean) {
    this.#url = url;
    this.#isBatched = isBatched;
    this.serializer = serializer;
    void this.#receive();
  }

  attach(events: TransportEvents): void {
    this.#events.attach(events);
  }

  send(frames: readonly Frame[]): void {
    if (this.#events.isClosed) return;
    for (const frame of frames) {
      this.bufferedBytes += frame.length;
      this.#waiting.push(frame);
    }
    if (!this.#isSending) void this.#sendAll();
  }

  close(): void {
    void this.#close();
  }

  async #close(): Promise<void> {
    if (this.#events.isClosed) return;
    this.#events.onClose('the transport was closed');
    // What was sent before still leaves; GOODBYE is among it.
    await this.#sendAll().catch(() => {});
    await post(`${this.#url}/close`, '').catch(() => {});
    this.#abort.abort();
  }

  async #receive(): Promise<void> {
    try {
      while (!this.#events.isClosed) {
        const response = await post(`${this.#url}/receive`, '', this.#abort.signal);
        const frame = this.serializer.isBinary
          ? new Uint8Array(await response.arrayBuffer())
          : await response.text();
        // A poll may end without a message, so that proxies do not think it dead.
        if (frame.length > 0) this.#received(frame);
      }
    } catch (error) {
      this.#events.onClose('the transport is gone', error);
    }
  }

  #received(frame: Frame): void {
    const frames = this.#isBatched ? splitBatch(this.serializer, frame) : [frame];
    for (const each of frames) if (!this.#events.isClosed) this.#events.onFrame(each);
  }

  /** One request at a time, so that they keep their order. */
  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#waiting.length > 0) {
        const frames = this.#waiting.splice(0, this.#isBatched ? this.#waiting.length : 1);
        await post(`${this.#url}/send`, this.#isBatched ? joinBatch(this.serializer, frames) : frames[0]!);
        for (const frame of frames) this.bufferedBytes -= frame.length;
      }
    } catch (error) {
      this.#events.onClose('the transport is gone', error);
    } finally {
      this.#isSending = false;
    }
  }
}

async function post(url: string, body: Frame, signal?: AbortSignal): Promise<Response> {
  const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body: body as BodyInit,
    signal: signal ?? null,
  });
  if (!response.ok) throw new TransportError(`${url} answers ${response.status}`);
  return response;
}
