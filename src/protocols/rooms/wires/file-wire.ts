import type { FSWatcher } from 'node:fs';

import { applyUpdate, diffUpdate, Doc, encodeStateAsUpdate, encodeStateVectorFromUpdate } from 'yjs';

import { type Clock, systemClock, type Timer } from '../../../base/clock.js';
import { mergeAll } from '../../../documents/merge-updates.js';
import { type Channel, Inbox } from '../client/channel.js';
import { RoomClient, type RoomClientOptions } from '../client/room-client.js';
import { registerWire } from '../client/wires.js';
import { decodeFrame, encodeMessage } from '../messages/message.js';
import { FILE_VERSION } from './file-format.js';
import { UpdateFile } from './update-file.js';

export interface FileClientOptions extends RoomClientOptions {
  readonly path: string;
  /** Seconds, as in wiredb: how long no edit must come until what came is written. Default 0: at once. */
  readonly writeDelay?: number;
  /** Seconds after which it is written even if edits go on. Default ten times `writeDelay`, one second at least. */
  readonly maxWait?: number;
  /** Rewrite the file with one merged update when it is opened, and at each write. */
  readonly squash?: boolean;
  /** Read on when somebody else appends to the file: several processes, each with `watch`, may share it. */
  readonly watch?: boolean;
  /** Told what was repaired. */
  readonly onWarning?: (text: string) => void;
}

/** A document that is kept in a file. */
export class FileClient extends RoomClient {
  readonly #options: FileClientOptions;

  constructor(options: FileClientOptions) {
    super(options);
    this.#options = options;
  }

  /** Of the file's format. */
  get version(): string {
    return FILE_VERSION;
  }

  protected override openChannel(): Promise<Channel> {
    return FileChannel.open(this.id, this.#options);
  }
}

const EMPTY_UPDATE_BYTES = 2;

/** The file as if it were a peer: says what it has, and writes down what it has not. */
class FileChannel implements Channel {
  readonly id: string;
  readonly #options: FileClientOptions;
  readonly #inbox = new Inbox();
  readonly #file: UpdateFile;
  #updates: Uint8Array[];
  #waiting: Uint8Array[] = [];
  #waitingSinceMs = 0;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  #watcher: FSWatcher | undefined;
  #isClosed = false;

  private constructor(id: string, options: FileClientOptions, file: UpdateFile, updates: Uint8Array[]) {
    this.id = id;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#file = file;
    this.#updates = updates;
  }

  static async open(id: string, options: FileClientOptions): Promise<FileChannel> {
    const { path, onWarning = () => {}, watch = false, squash = false } = options;
    const file = await UpdateFile.open({ path, onWarning, isShared: watch });
    const channel = new FileChannel(id, options, file, await file.readNew());
    if (squash && channel.#updates.length > 1) await channel.#rewrite();
    if (watch) channel.#watcher = file.watch(() => channel.#enqueue(() => channel.#readOn()));
    const stateVector = encodeStateVectorFromUpdate(channel.#whole());
    channel.#inbox.push(encodeMessage({ kind: 'syncStep1', stateVector }));
    return channel;
  }

  #whole(): Uint8Array {
    this.#updates = this.#updates.length === 0 ? [] : [mergeAll(this.#updates)];
    return this.#updates[0] ?? Uint8Array.of(0, 0);
  }

  send(frame: Uint8Array): void {
    for (const message of decodeFrame(frame)) {
      if (message.kind === 'syncStep1') {
        const update = diffUpdate(this.#whole(), message.stateVector);
        this.#inbox.push(encodeMessage({ kind: 'syncStep2', update }));
      } else if (message.kind === 'syncStep2' || message.kind === 'update') {
        const { kind, update } = message;
        if (update.length > EMPTY_UPDATE_BYTES && !(kind === 'syncStep2' && this.#hasAll(update)))
          this.#keep(update);
      }
    }
  }

  /** A syncStep2 repeats all deletions: those that the file has are not written again. */
  #hasAll(update: Uint8Array): boolean {
    const whole = this.#whole();
    return Buffer.from(mergeAll([whole, update])).equals(whole);
  }

  #keep(update: Uint8Array): void {
    this.#updates.push(update);
    this.#waiting.push(update);
    const { writeDelay = 0, maxWait = Math.max(1, writeDelay * 10) } = this.#options;
    if (writeDelay === 0) return this.#flushSoon();
    const nowMs = this.#clock.monotonicMs();
    if (this.#waiting.length === 1) this.#waitingSinceMs = nowMs;
    const leftMs = this.#waitingSinceMs + maxWait * 1000 - nowMs;
    const delayMs = Math.max(0, Math.min(writeDelay * 1000, leftMs));
    this.#timer?.cancel();
    this.#timer = this.#clock.startTimer(delayMs, () => this.#flushSoon(), { keepsAlive: true });
  }

  #flushSoon(): void {
    this.#enqueue(() => this.#flush());
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#inbox.end(error));
  }

  async #flush(): Promise<void> {
    const updates = this.#waiting.splice(0);
    if (updates.length === 0) return;
    if (this.#options.squash === true && (await this.#rewrite())) return;
    this.#hear(await this.#file.append(updates));
  }

  async #rewrite(): Promise<boolean> {
    return await this.#file.rewrite((news) => {
      this.#hear(news);
      return compress(this.#whole());
    });
  }

  async #readOn(): Promise<void> {
    if (!this.#isClosed) this.#hear(await this.#file.readNew());
  }

  /** What others have appended; our own is among it, and known. */
  #hear(updates: readonly Uint8Array[]): void {
    for (const update of updates) {
      this.#updates.push(update);
      this.#inbox.push(encodeMessage({ kind: 'update', update }));
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox;
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#watcher?.close();
    this.#flushSoon();
    await this.#work;
    await this.#file.close();
    this.#inbox.end();
  }
}

/** Joins neighbouring pieces and drops what was deleted, which merging alone does not. */
function compress(update: Uint8Array): Uint8Array {
  const doc = new Doc();
  applyUpdate(doc, update);
  return encodeStateAsUpdate(doc);
}

declare module '../client/wires.js' {
  interface WireMap {
    file: { options: FileClientOptions; client: FileClient };
  }
}

registerWire('file', { connect: (options: FileClientOptions) => new FileClient(options) });
