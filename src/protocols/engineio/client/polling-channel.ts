import { ClosePacket, type Packet } from '../messages/packet.js';
import { countFitting, decodePayload, encodePayload } from '../messages/payload.js';
import { type Address, requestUrl } from './address.js';
import { ConnectionError } from './errors.js';
import type { HttpReply, Link } from './platform.js';

/** python-engineio loses every packet of a payload with more. */
export const POST_PACKETS_MAX = 16;
/** What is assumed of servers that do not say; python-engineio's and npm engine.io's default. */
export const POST_BYTES_DEFAULT = 1_000_000;

export interface PollingOptions {
  readonly link: Link;
  readonly address: Address;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestMs: number;
  readonly stamp: () => number | undefined;
}

/** Packets over HTTP: one GET that waits for them, one POST at a time that brings them. */
export class PollingChannel {
  onPacket: (packet: Packet) => void = () => {};
  onFailure: (why: string) => void = () => {};
  onPosted: () => void = () => {};
  /** Of the POST that is under way. */
  postingBytes = 0;
  readonly #options: PollingOptions;
  readonly #abort = new AbortController();
  #sid: string | undefined;
  #pollMs: number;
  #postBytesMax = POST_BYTES_DEFAULT;
  #isPaused = false;
  #isPolling = false;
  #polling: Promise<void> = Promise.resolve();
  #posting: Promise<void> | undefined;

  constructor(options: PollingOptions) {
    this.#options = options;
    this.#pollMs = options.requestMs;
  }

  /** The packets of the handshake. Throws ConnectionError. */
  async open(): Promise<Packet[]> {
    const reply = await this.#request('GET', undefined).catch((error: unknown) => {
      throw new ConnectionError(`the server cannot be reached: ${messageOf(error)}`, undefined, {
        cause: error,
      });
    });
    if (!isSuccess(reply)) {
      throw new ConnectionError(
        `Unexpected status code ${reply.status} in server response`,
        parseBody(reply.body),
      );
    }
    try {
      return decodePayload(reply.body);
    } catch (error) {
      throw new ConnectionError('Unexpected response from server', undefined, { cause: error });
    }
  }

  /** Begins to poll. A poll may be held for `pollMs`. */
  start(sid: string, pollMs: number, postBytesMax: number | undefined): void {
    this.#sid = sid;
    this.#pollMs = pollMs;
    this.#postBytesMax = postBytesMax ?? POST_BYTES_DEFAULT;
    this.#polling = this.#poll();
  }

  async #poll(): Promise<void> {
    this.#isPolling = true;
    await this.#pollUntilPaused();
    this.#isPolling = false;
  }

  async #pollUntilPaused(): Promise<void> {
    while (!this.#isPaused && !this.#abort.signal.aborted) {
      const packets = await this.#fetch();
      if (packets === undefined) return;
      for (const packet of packets) this.onPacket(packet);
    }
  }

  async #fetch(): Promise<Packet[] | undefined> {
    try {
      const reply = await this.#request('GET', undefined);
      if (!isSuccess(reply)) return this.#fail(`the server answered a poll with ${reply.status}`);
      return reply.body === '' ? [] : decodePayload(reply.body);
    } catch (error) {
      return this.#fail(`a poll failed: ${messageOf(error)}`);
    }
  }

  /** Sends from the front of the queue until it is empty; does nothing while it does so already, or is paused. */
  flush(queue: Packet[]): Promise<void> {
    if (this.#posting === undefined && !this.#isPaused && queue.length > 0) {
      this.#posting = this.#postAll(queue);
    }
    return this.#posting ?? Promise.resolve();
  }

  async #postAll(queue: Packet[]): Promise<void> {
    // What is sent in this turn goes together.
    await Promise.resolve();
    while (queue.length > 0 && !this.#isPaused && !this.#abort.signal.aborted) {
      const count = countFitting(queue, { bytesMax: this.#postBytesMax, packetsMax: POST_PACKETS_MAX });
      const isPosted = await this.#post(encodePayload(queue.splice(0, count)));
      if (isPosted) this.onPosted();
    }
    this.#posting = undefined;
  }

  async #post(body: string): Promise<boolean> {
    this.postingBytes = body.length;
    try {
      const reply = await this.#request('POST', body);
      if (isSuccess(reply)) return true;
      this.#fail(`the server answered a POST with ${reply.status}`);
    } catch (error) {
      this.#fail(`a POST failed: ${messageOf(error)}`);
    } finally {
      this.postingBytes = 0;
    }
    return false;
  }

  /** Lets requests under way end and makes no more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await Promise.all([this.#polling, this.#posting]);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // A GET that never let go goes on being the one that waits.
    if (!this.#isPolling) this.#polling = this.#poll();
  }

  /** Says goodbye behind what is queued. */
  async flushAndClose(queue: Packet[]): Promise<void> {
    queue.push(ClosePacket);
    await this.flush(queue);
    // What was queued while the last POST was under way.
    await this.flush(queue);
    this.close();
  }

  close(): void {
    this.#abort.abort();
  }

  #request(method: 'GET' | 'POST', body: string | undefined): Promise<HttpReply> {
    const { link, address, headers, requestMs, stamp } = this.#options;
    const isPoll = method === 'GET';
    return link.request({
      method,
      url: requestUrl(address, 'polling', this.#sid, isPoll ? stamp() : undefined),
      headers: isPoll ? headers : { ...headers, 'content-type': 'text/plain;charset=UTF-8' },
      ...(body === undefined ? {} : { body }),
      timeoutMs: isPoll ? this.#pollMs : requestMs,
      signal: this.#abort.signal,
    });
  }

  #fail(why: string): undefined {
    if (!this.#abort.signal.aborted) this.onFailure(why);
    this.close();
    return undefined;
  }
}

function isSuccess({ status }: HttpReply): boolean {
  return status >= 200 && status < 300;
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
