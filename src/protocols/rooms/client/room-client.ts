import * as Y from 'yjs';

import { type Clock, systemClock, type Timer } from '../../../base/clock.js';
import { VarReader } from '../../../base/var-reader.js';
import { encodeMessage, readMessage, type RoomMessage } from '../messages/message.js';
import { Awareness } from './awareness.js';
import type { Channel } from './channel.js';
import { Deferred } from './deferred.js';
import { PresenceLink } from './presence-link.js';
import { SaveProbe } from './save-probe.js';
import { SilenceWatch } from './silence-watch.js';

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
  /**
   * Milliseconds without a message after which the server is asked for one; after as long again the connection is given up. Default
   * 30 s where the client connects again and pulls by itself, else never.
   */
  readonly silenceMs?: number;
  /** What waiting is measured with. */
  readonly clock?: Clock;
  /** Told each change of `status`. */
  readonly onStatus?: (status: ClientStatus) => void;
}

export type ClientStatus = 'closed' | 'connecting' | 'connected';

const RECONNECT = { minMs: 100, maxMs: 10_000 };
// As y-websocket: a server that goes away without a word is missed within a minute.
const SILENCE_MS = 30_000;
const EMPTY_UPDATE_BYTES = 2;

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
  readonly #presence: PresenceLink;
  readonly #probe = new SaveProbe();
  readonly #clock: Clock;
  readonly #silence: SilenceWatch | undefined;
  #isRefused = false;
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
    this.#presence = new PresenceLink(this.awareness, (update) => this.#send({ kind: 'awareness', update }));
    this.#clock = options.clock ?? systemClock;
    this.autoPush = options.autoPush ?? options.autoUpdate ?? true;
    this.autoPull = options.autoPull ?? options.autoUpdate ?? true;
    this.#onStatus = options.onStatus ?? (() => {});
    const reconnect = options.reconnect ?? reconnectDefault;
    if (reconnect !== false) this.#reconnect = { ...RECONNECT, ...(reconnect === true ? {} : reconnect) };
    const isWatched = this.#reconnect !== undefined && this.autoPull;
    const silenceMs = options.silenceMs ?? (isWatched ? SILENCE_MS : Infinity);
    if (silenceMs !== Infinity)
      this.#silence = new SilenceWatch(
        this.#clock,
        silenceMs,
        () => this.#startHandshake(),
        () => void this.#channel?.close(),
      );
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
    this.#presence.attach();
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
    const saved = this.#probe.wait();
    if (this.#hasAnswered) this.#askWhetherSaved();
    return saved;
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
    this.#probe.end(error);
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
    this.#presence.detach();
  }

  async #connect(): Promise<Channel> {
    this.#setStatus('connecting');
    const channel = await this.openChannel();
    this.#channel = channel;
    this.#setStatus('connected');
    this.#isHandshaking = false;
    if (this.autoPull || this.#isSynchronized) this.#startHandshake();
    else this.#isPullAwaited = true;
    this.#presence.show();
    this.#silence?.start();
    return channel;
  }

  async #run(first: Channel): Promise<void> {
    let channel: Channel | undefined = first;
    let waitMs = this.#reconnect?.minMs ?? 0;
    while (!this.#isClosed) {
      try {
        channel ??= await this.#connect();
        for await (const frame of channel) {
          this.#silence?.hear();
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
      this.#silence?.stop();
      this.#presence.lose();
      if (this.#reconnect === undefined || this.#isClosed || this.#isRefused) break;
      await this.#wait(waitMs);
      waitMs = Math.min(waitMs * 2, this.#reconnect.maxMs);
    }
    if (!this.#isSynchronized) this.#synchronized.reject(this.error ?? new Error('the connection ended'));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.startTimer(ms, resolve, { keepsAlive: true });
      this.#stopWaiting = () => {
        timer.cancel();
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
      this.#askWhetherSaved();
    } else if (message.kind === 'syncStep2' || message.kind === 'update') {
      if (message.update.length > EMPTY_UPDATE_BYTES) Y.applyUpdate(this.doc, message.update, this);
      if (message.kind === 'syncStep2') this.#finishHandshake();
      // Something it builds on is missing: ask for all of it.
      else if (this.doc.store.pendingStructs !== null) this.#startHandshake();
    } else if (message.kind === 'awareness') {
      this.#presence.receive(message.update);
    } else if (message.kind === 'queryAwareness') {
      this.#presence.show();
    } else if (message.kind === 'denied') {
      this.error = new Error(message.reason);
      // Who may read, but not write, hears of it when he writes, and reads on.
      this.#isRefused = !this.#isSynchronized;
    } else if (message.kind === 'probe') {
      this.#probe.onAnswer(message.body);
    }
  }

  #askWhetherSaved(): void {
    const body = this.#probe.question;
    if (body !== undefined) this.#send({ kind: 'probe', body });
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

  #send(message: Exclude<RoomMessage, { kind: 'unknown' }>): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    // What a wire cannot carry ends the connection, not the edit that it comes from.
    const sending = async (): Promise<void> => await channel.send(encodeMessage(message));
    void sending().catch((error: unknown) => {
      this.error = error;
      return channel.close();
    });
  }
}

function isSync({ kind }: RoomMessage): boolean {
  return kind === 'syncStep1' || kind === 'syncStep2' || kind === 'update';
}
