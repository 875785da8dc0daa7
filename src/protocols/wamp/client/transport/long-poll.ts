import { subprotocolOf } from '../../messages/serializer.js';
import type { Serializer } from '../../messages/serializer.js';
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
 */

/** `connect('http://host/wamp/lp', { realm, openTransport: openLongPoll })` */
export const openLongPoll: OpenTransport = async ({ url, serializers, signal }) => {
  const base = url.href.replace(/\/$/, '');
  const protocols = serializers.map((serializer) => subprotocolOf(serializer));
  try {
    const response = await post(`${base}/open`, JSON.stringify({ protocols }), signal);
    const { protocol, transport } = (await response.json()) as { protocol?: unknown; transport?: unknown };
    const serializer = serializers.find((offered) => subprotocolOf(offered) === protocol);
    if (serializer === undefined || typeof transport !== 'string') throw new Error('unknown answer');
    return new LongPollTransport(`${base}/${encodeURIComponent(transport)}`, serializer);
  } catch (error) {
    throw new TransportError(`${url.href} does not open a transport`, error);
  }
};

class LongPollTransport implements Transport {
  readonly serializer: Serializer;
  readonly #url: string;
  readonly #events = new EventBuffer();
  readonly #abort = new AbortController();
  #waiting: Frame[] = [];
  #isSending = false;
  bufferedBytes = 0;

  constructor(url: string, serializer: Serializer) {
    this.#url = url;
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
        if (frame.length > 0 && !this.#events.isClosed) this.#events.onFrame(frame);
      }
    } catch (error) {
      this.#events.onClose('the transport is gone', error);
    }
  }

  /** One at a time, so that they keep their order. */
  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
        await post(`${this.#url}/send`, frame);
        this.bufferedBytes -= frame.length;
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
