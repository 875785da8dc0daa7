import * as Y from 'yjs';

import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { encodeMessage, readMessage, type RoomMessage } from '../messages/message.js';
import { Awareness, type AwarenessChange } from './awareness.js';
import type { Channel } from './channel.js';

export interface RoomClientOptions {
  /** The room. */
  readonly id?: string;
  /** An existing document; a new one is made if left out. */
  readonly doc?: Y.Doc;
  /** An existing one of the same document. */
  readonly awareness?: Awareness;
  /** Send edits as they are made (default), or when `push` is called. */
  readonly autoPush?: boolean;
  /** Apply what comes as it comes (default), or one message for each `pull`. */
  readonly autoPull?: boolean;
  /** Both of them. */
  readonly autoUpdate?: boolean;
  /** Connect again when the connection ends, after a wait that doubles up to `maxMs`. Default: as the wire says. */
  readonly reconnect?: boolean | { readonly minMs?: number; readonly maxMs?: number };
  /** Told each change of `status`. */
  readonly onStatus?: (status: ClientStatus) => void;
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
  /** Who else is in the room, and what they and this client show. Sent at once, whatever `autoPush` says. */
  readonly awareness: Awareness;
  readonly autoPush: boolean;
  readonly autoPull: boolean;
  /** Why the last connection ended, if it did not end by itself. */
  error: unknown;
  readonly #reconnect: { readonly minMs: number; readonly maxMs: number } | undefined;
  #channel: Channel | undefined;
  #status: ClientStatus = 'closed';
  readonly #onStatus: (status: ClientStatus) => void;
  #isSynchronized = false;
  readonly #synchronized = new Deferred();
  /** We have told the other side all we had: from here on every edit is sent. */
  #hasAnswered = false;
  #unsent: Uint8Array[] = [];
  #inbox: RoomMessage[] = [];
  readonly #ownsAwareness: boolean;
  /** Who waits until what he has edited is on disk, by the number that the server is asked with. */
  readonly #unsaved = new Map<number, Deferred>();
  #probeCount = 0;
  #isRefused = false;
  /** Clients that are present by this connection. */
  readonly #present = new Set<number>();
  #isHandshaking = false;
  #hasPermit = false;
  #isPullAwaited = false;
  #isClosed = false;
  #stopWaiting: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(options: RoomClientOptions = {}, reconnectDefault = false) {
    this.id = options.id ?? '';
    this.doc = options.doc ?? new Y.Doc();
    this.awareness = options.awareness ?? new Awareness(this.doc);
    this.#ownsAwareness = options.awareness === undefined;
    this.autoPush = options.autoPush ?? options.autoUpdate ?? true;
    this.autoPull = options.autoPull ?? options.autoUpdate ?? true;
    this.#onStatus = options.onStatus ?? (() => {});
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
    this.awareness.on('update', this.#onPresence);
    const first = await this.#connect().catch((error: unknown) => {
      this.#ignoreDocument();
      this.#setStatus('closed');
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

  /**
   * Resolves when the server has on its disk what was edited here before, over however many connections. Rejects when the client is
   * closed before. Only rooms on a Chorale server's port answer; with `autoPush: false` it is about what was pushed.
   */
  whenSaved(): Promise<void> {
    const saved = new Deferred();
    this.#probeCount += 1;
    this.#unsaved.set(this.#probeCount, saved);
    if (this.#hasAnswered) this.#probe();
    return saved.promise;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.awareness.getLocalState() !== null) this.awareness.setLocalState(null);
    this.#ignoreDocument();
    this.#stopWaiting();
    await this.#channel?.close();
    await this.#loop;
    if (this.#ownsAwareness) this.awareness.destroy();
    const error = new Error('the client was closed');
    this.#synchronized.reject(error);
    for (const saved of this.#unsaved.values()) saved.reject(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Connects now, if the client is waiting to. */
  reconnectNow(): void {
    this.#stopWaiting();
  }

  #setStatus(status: ClientStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#onStatus(status);
  }

  #ignoreDocument(): void {
    this.doc.off('update', this.#onEdit);
    this.awareness.off('update', this.#onPresence);
  }

  async #connect(): Promise<Channel> {
    this.#setStatus('connecting');
    const channel = await this.openChannel();
    this.#channel = channel;
    this.#setStatus('connected');
    this.#isHandshaking = false;
    if (this.autoPull || this.#isSynchronized) this.#startHandshake();
    else this.#isPullAwaited = true;
    this.#showPresence();
    return channel;
  }

  async #run(first: Channel): Promise<void> {
    let channel: Channel | undefined = first;
    let waitMs = this.#reconnect?.minMs ?? 0;
    while (!this.#isClosed) {
      try {
        channel ??= await this.#connect();
        for await (const frame of channel) {
          this.#receive(frame);
          // Not before: a server that lets in and throws out again must not be asked ten times a second.
          if (this.#isSynchronized && !this.#isHandshaking) waitMs = this.#reconnect?.minMs ?? 0;
        }
      } catch (error) {
        this.error = error;
      }
      // What was under way is lost: the next handshake brings it again.
      await channel?.close();
      channel = undefined;
      this.#channel = undefined;
      this.#setStatus('closed');
      this.#hasAnswered = false;
      this.awareness.remove(this.#present, this);
      this.#present.clear();
      if (this.#reconnect === undefined || this.#isClosed || this.#isRefused) break;
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
      this.#probe();
    } else if (message.kind === 'syncStep2' || message.kind === 'update') {
      if (message.update.length > EMPTY_UPDATE_BYTES) Y.applyUpdate(this.doc, message.update, this);
      if (message.kind === 'syncStep2') this.#finishHandshake();
      // Something it builds on is missing: ask for all of it.
      else if (this.doc.store.pendingStructs !== null) this.#startHandshake();
    } else if (message.kind === 'awareness') {
      for (const clientId of this.awareness.apply(message.update, this)) this.#present.add(clientId);
    } else if (message.kind === 'queryAwareness') {
      this.#showPresence();
    } else if (message.kind === 'denied') {
      this.error = new Error(message.reason);
      // Who may read, but not write, hears of it when he writes, and reads on.
      this.#isRefused = !this.#isSynchronized;
    } else if (message.kind === 'probe') {
      this.#onSaved(new VarReader(message.body).readVarUint());
    }
  }

  /** Asks to be told when all that was sent is on disk. An answer is one for all questions before it. */
  #probe(): void {
    if (this.#unsaved.size === 0) return;
    this.#send({ kind: 'probe', body: new VarWriter().writeVarUint(this.#probeCount).finish() });
  }

  #onSaved(count: number): void {
    for (const [number, saved] of this.#unsaved) {
      if (number > count) break;
      this.#unsaved.delete(number);
      saved.resolve();
    }
  }

  #finishHandshake(): void {
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

  readonly #onPresence = ({ added, updated, removed }: AwarenessChange, origin: unknown): void => {
    if (origin !== this) this.#sendPresence([...added, ...updated, ...removed]);
  };

  #showPresence(): void {
    const { awareness } = this;
    const others = [...awareness.getStates().keys()].filter((id) => id !== awareness.clientID);
    this.#sendPresence(others.filter((id) => !this.#present.has(id)));
    // Whoever was there has heard that this client is gone, one change later: only two changes later he is there again.
    awareness.renew(2);
  }

  #sendPresence(clientIds: readonly number[]): void {
    if (clientIds.length > 0) this.#send({ kind: 'awareness', update: this.awareness.encode(clientIds) });
  }

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
