import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, readFile, rename, truncate } from 'node:fs/promises';

import { applyUpdate, diffUpdate, Doc, encodeStateAsUpdate, encodeStateVectorFromUpdate } from 'yjs';

import { mergeAll } from '../../../documents/merge-updates.js';
import { type Channel, Inbox } from '../client/channel.js';
import { RoomClient, type RoomClientOptions } from '../client/room-client.js';
import { registerWire } from '../client/wires.js';
import { decodeFrame, encodeMessage } from '../messages/message.js';
import { checkFileHeader, encodeRecord, FILE_HEADER, FILE_VERSION, parseRecords } from './file-format.js';

export interface FileClientOptions extends RoomClientOptions {
  readonly path: string;
  /** Seconds, as in wiredb: how long no edit must come until what came is written. Default 0: at once. */
  readonly writeDelay?: number;
  /** Seconds after which it is written even if edits go on. Default ten times `writeDelay`, one second at least. */
  readonly maxWait?: number;
  /** Rewrite the file with one merged update when it is opened, and at each write. */
  readonly squash?: boolean;
  /** Read on when somebody else appends to the file. */
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
  #file: FileHandle;
  #updates: Uint8Array[];
  /** How far the file was read. */
  #readEnd: number;
  #waiting: Uint8Array[] = [];
  #waitingSinceMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #watcher: FSWatcher | undefined;
  #isClosed = false;

  private constructor(
    id: string,
    options: FileClientOptions,
    file: FileHandle,
    updates: Uint8Array[],
    end: number,
  ) {
    this.id = id;
    this.#options = options;
    this.#file = file;
    this.#updates = updates;
    this.#readEnd = end;
  }

  static async open(id: string, options: FileClientOptions): Promise<FileChannel> {
    const { path, onWarning = () => {} } = options;
    const file = await open(path, 'a+');
    try {
      let bytes: Uint8Array = await readFile(path);
      // A crash may have come between making the file and writing its header.
      if (
        bytes.length < FILE_HEADER.length &&
        Buffer.from(FILE_HEADER).subarray(0, bytes.length).equals(bytes)
      ) {
        await truncate(path, 0);
        await file.write(FILE_HEADER);
        bytes = FILE_HEADER;
      }
      checkFileHeader(bytes);
      const { updates, end } = parseRecords(bytes, FILE_HEADER.length);
      if (end < bytes.length) {
        onWarning(
          `${path}: the last ${bytes.length - end} bytes were cut off: a crash interrupted their record`,
        );
        await truncate(path, end);
      }
      const channel = new FileChannel(id, options, file, [...updates], end);
      await channel.#start();
      return channel;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #start(): Promise<void> {
    if (this.#options.squash === true && this.#updates.length > 1) await this.#rewrite();
    const { path } = this.#options;
    if (this.#options.watch === true) this.#watcher = watch(path, () => this.#enqueue(() => this.#readOn()));
    this.#inbox.push(
      encodeMessage({ kind: 'syncStep1', stateVector: encodeStateVectorFromUpdate(this.#whole()) }),
    );
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
    const nowMs = performance.now();
    if (this.#waiting.length === 1) this.#waitingSinceMs = nowMs;
    const leftMs = this.#waitingSinceMs + maxWait * 1000 - nowMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flushSoon(), Math.max(0, Math.min(writeDelay * 1000, leftMs)));
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
    if (this.#options.squash === true) return this.#rewrite();
    await this.#file.appendFile(Buffer.concat(updates.map(encodeRecord)));
    await this.#file.datasync();
  }

  /** One update in a new file that takes the place of the old one in one step: a crash leaves either of them. */
  async #rewrite(): Promise<void> {
    const { path } = this.#options;
    const temporary = `${path}.squash`;
    const bytes = Buffer.concat([FILE_HEADER, encodeRecord(compress(this.#whole()))]);
    const file = await open(temporary, 'w');
    await file.writeFile(bytes);
    await file.datasync();
    await file.close();
    await rename(temporary, path);
    await this.#file.close();
    this.#file = await open(path, 'a+');
    this.#readEnd = bytes.length;
  }

  /** What others have appended; our own is known and changes nothing. */
  async #readOn(): Promise<void> {
    if (this.#isClosed) return;
    const bytes = await readFile(this.#options.path);
    // Somebody has squashed it.
    if (bytes.length < this.#readEnd) this.#readEnd = FILE_HEADER.length;
    const { updates, end } = parseRecords(bytes, this.#readEnd);
    this.#readEnd = end;
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
    clearTimeout(this.#timer);
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
