import * as Y from 'yjs';

import { VarReader } from '../../../base/var-reader.js';
import { encodeMessage, readMessage, type RoomMessage } from '../messages/message.js';
import type { Channel } from './channel.js';

export interface RoomClientOptions {
  /** The room. */
  readonly id?: string;
  /** An existing document; a new one is made if left out. */
  readonly doc?: Y.Doc;
  /** Send edits as they are made (default), or when `push` is called. */
  readonly autoPush?: boolean;
  /** Apply what comes as it comes (default), or one message for each `pull`. */
  readonly autoPull?: boolean;
  /** Both of them. */
  readonly autoUpdate?: boolean;
  /** Connect again when the connection ends, after a wait that doubles up to `maxMs`. Default: as the wire says. */
  readonly reconnect?: boolean | { readonly minMs?: number; readonly maxMs?: number };
}

export type ClientStatus = 'closed' | 'connecting' | 'connected';

const RECONNECT = { minMs: 100, maxMs: 10_000 };
const EMPTY_UPDATE_BYTES = 2;

class Deferred {
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** A document that is kept the same as a room's. Wires differ in how they get a channel. */
export abstract class RoomClient {
  readonly id: string;
  readonly doc: Y.Doc;
  readonly autoPush: boolean;
  readonly autoPull: boolean;
  /** Why the last connection ended, if it did not end by itself. */
  error: unknown;
  readonly #reconnect: { readonly minMs: number; readonly maxMs: number } | undefined;
  #channel: Channel | undefined;
  #status: ClientStatus = 'closed';
  #isSynchronized = false;
  readonly #synchronized = new Deferred();
  /** We have told the other side all we had: from here on every edit is sent. */
  #hasAnswered = false;
  #unsent: Uint8Array[] = [];
  #inbox: RoomMessage[] = [];
  #isHandshaking = false;
  #hasPermit = false;
  #isPullAwaited = false;
  #isClosed = false;
  #stopWaiting: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(options: RoomClientOptions = {}, reconnectDefault = false) {
    this.id = options.id ?? '';
    this.doc = options.doc ?? new Y.Doc();
    this.autoPush = options.autoPush ?? options.autoUpdate ?? true;
    this.autoPull = options.autoPull ?? options.autoUpdate ?? true;
    const reconnect = options.reconnect ?? reconnectDefault;
    if (reconnect !== false) this.#reconnect = { ...RECONNECT, ...(reconnect === true ? {} : reconnect) };
    this.#synchronized.promise.catch(() => {});
  }

  protected abstract openChannel(): Promise<Channel>;

  get status(): ClientStatus {
    return this.#status;
  }

  /** The open channel. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Resolves when the document holds what the room held when it was asked. Rejects when the client is closed before. */
  get synchronized(): Promise<void> {
    return this.#synchronized.promise;
  }

  get isSynchronized(): boolean {
    return this.#isSynchronized;
  }

  /** Connects; with `autoPull` it resolves when the document is synchronized. Throws if the first connection fails. */
  async open(): Promise<this> {
    this.doc.on('update', this.#onEdit);
    const first = await this.#connect().catch((error: unknown) => {
      this.doc.off('update', this.#onEdit);
      throw error;
    });
    this.#loop = this.#run(first);
    if (this.autoPull) await this.#synchronized.promise;
    return this;
  }

  /** Sends the edits that were made since the last push. For `autoPush: false`. */
  push(): void {
    if (!this.#hasAnswered) return;
    for (const update of this.#unsent.splice(0)) this.#send({ kind: 'update', update });
  }

  /** Lets the handshake through the first time, one message each time after that. For `autoPull: false`. */
  async pull(): Promise<void> {
    this.#hasPermit = true;
    if (this.#isPullAwaited) this.#startHandshake();
    this.#drain();
    if (!this.#isSynchronized) await this.#synchronized.promise;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.doc.off('update', this.#onEdit);
    this.#stopWaiting();
    await this.#channel?.close();
    await this.#loop;
    this.#synchronized.reject(new Error('the client was closed'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(): Promise<Channel> {
    this.#status = 'connecting';
    const channel = await this.openChannel();
    this.#channel = channel;
    this.#status = 'connected';
    this.#hasAnswered = false;
    this.#isHandshaking = false;
    if (this.autoPull || this.#isSynchronized) this.#startHandshake();
    else this.#isPullAwaited = true;
    return channel;
  }

  async #run(first: Channel): Promise<void> {
    let channel: Channel | undefined = first;
    let waitMs = this.#reconnect?.minMs ?? 0;
    while (!this.#isClosed) {
      try {
        channel ??= await this.#connect();
        waitMs = this.#reconnect?.minMs ?? 0;
        for await (const frame of channel) this.#receive(frame);
      } catch (error) {
        this.error = error;
      }
      // What was under way is lost: the next handshake brings it again.
      await channel?.close();
      channel = undefined;
      this.#channel = undefined;
      this.#status = 'closed';
      this.#hasAnswered = false;
      if (this.#reconnect === undefined || this.#isClosed) break;
      await this.#wait(waitMs);
      waitMs = Math.min(waitMs * 2, this.#reconnect.maxMs);
    }
    if (!this.#isSynchronized) this.#synchronized.reject(this.error ?? new Error('the connection ended'));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #startHandshake(): void {
    this.#isPullAwaited = false;
    this.#isHandshaking = true;
    this.#send({ kind: 'syncStep1', stateVector: Y.encodeStateVector(this.doc) });
  }

  #receive(frame: Uint8Array): void {
    const reader = new VarReader(frame);
    do this.#inbox.push(readMessage(reader));
    while (reader.remaining > 0);
    this.#drain();
  }

  #drain(): void {
    while (this.#inbox.length > 0) {
      const isFree = this.autoPull || this.#isHandshaking;
      if (!isFree && !this.#hasPermit) return;
      const message = this.#inbox.shift()!;
      if (!isFree && isSync(message)) this.#hasPermit = false;
      this.#apply(message);
    }
  }

  #apply(message: RoomMessage): void {
    if (message.kind === 'syncStep1') {
      const update = Y.encodeStateAsUpdate(this.doc, message.stateVector);
      this.#unsent = [];
      this.#hasAnswered = true;
      this.#send({ kind: 'syncStep2', update });
    } else if (message.kind === 'syncStep2' || message.kind === 'update') {
      if (message.update.length > EMPTY_UPDATE_BYTES) Y.applyUpdate(this.doc, message.update, this);
      if (message.kind === 'syncStep2') this.#finishHandshake();
      // Something it builds on is missing: ask for all of it.
      else if (this.doc.store.pendingStructs !== null) this.#startHandshake();
    } else if (message.kind === 'denied') {
      throw new Error(message.reason);
    }
  }

  #finishHandshake(): void {
    if (!this.#isHandshaking) return;
    this.#isHandshaking = false;
    this.#hasPermit = false;
    this.#isSynchronized = true;
    this.#synchronized.resolve();
  }

  /** An edit of ours, or one that another wire brought: what this wire brought is not sent back. */
  readonly #onEdit = (update: Uint8Array, origin: unknown): void => {
    if (origin === this || !this.#hasAnswered) return;
    if (this.autoPush) this.#send({ kind: 'update', update });
    else this.#unsent.push(update);
  };

  #send(message: Exclude<RoomMessage, { kind: 'unknown' }>): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    void Promise.resolve(channel.send(encodeMessage(message))).catch((error: unknown) => {
      this.error = error;
      return channel.close();
    });
  }
}

function isSync({ kind }: RoomMessage): boolean {
  return kind === 'syncStep1' || kind === 'syncStep2' || kind === 'update';
}
