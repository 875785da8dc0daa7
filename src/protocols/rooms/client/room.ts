import * as Y from 'yjs';

import { VarReader } from '../../../base/var-reader.js';
import { encodeMessage, readMessage, type RoomMessage } from '../messages/message.js';
import { Awareness, type AwarenessChange } from './awareness.js';
import type { Channel } from './channel.js';
import { TaskScope, whenAborted } from './task-scope.js';

// 1 MiB: a busy second of one reader. Who is further behind is sent one update for all that he missed.
const QUEUE_BYTES_MAX = 1024 * 1024;
const EMPTY_UPDATE_BYTES = 2;

/**
 * A room of a server made by `bind`: its document in memory, and everybody who is connected to it. Made to be subclassed: override `run` to
 * start tasks, and call `super.run(signal)` at the end of it.
 *
 * @example
 * class Kept extends Room {
 *   override async run(signal: AbortSignal) {
 *     await using file = await connect('file', { doc: this.doc, path: `${this.id}.y` });
 *     await super.run(signal);
 *   }
 * }
 */
export class Room {
  readonly id: string;
  readonly doc: Y.Doc;
  /** Who is present, and what they show. */
  readonly awareness: Awareness;
  /** Tasks that end with the room: wiredb's `task_group`. */
  readonly tasks: TaskScope;
  readonly #members = new Set<RoomMember>();

  constructor(id: string, doc: Y.Doc = new Y.Doc()) {
    this.id = id;
    this.doc = doc;
    this.awareness = new Awareness(doc);
    this.tasks = new TaskScope((error) => this.onError(error));
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** What goes wrong with one client or task; it ends that one only. Does nothing by itself. */
  onError(_error: unknown): void {}

  /** Sends every change of the document, and of who is present, to everybody, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const broadcast = (update: Uint8Array): void => {
      const message = encodeMessage({ kind: 'update', update });
      for (const member of this.#members) member.sendUpdate(message);
    };
    const broadcastPresence = ({ added, updated, removed }: AwarenessChange): void => {
      const update = this.awareness.encode([...added, ...updated, ...removed]);
      const message = encodeMessage({ kind: 'awareness', update });
      for (const member of this.#members) member.sendPresence(message);
    };
    this.doc.on('update', broadcast);
    this.awareness.on('update', broadcastPresence);
    try {
      await whenAborted(signal);
    } finally {
      this.doc.off('update', broadcast);
      this.awareness.off('update', broadcastPresence);
    }
  }

  /** Handles one client until its channel ends. What makes no sense ends the channel; client and `onError` hear why. */
  async serve(channel: Channel): Promise<void> {
    const member = new RoomMember(channel, this);
    this.#members.add(member);
    try {
      member.send({ kind: 'syncStep1', stateVector: Y.encodeStateVector(this.doc) });
      for await (const frame of channel) member.receive(frame);
    } catch (error) {
      this.onError(error);
      // Whoever breaks a promise is told so; wiredb's clients do not read it.
      member.send({
        kind: 'denied',
        reason: error instanceof Error ? error.message : 'an error of the room',
      });
    } finally {
      this.#members.delete(member);
      member.leave();
      await channel.close();
    }
  }

  /** Ends its tasks and lets go of the document. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { channel } of this.#members) await channel.close();
    await this.tasks[Symbol.asyncDispose]();
    this.awareness.destroy();
    this.doc.destroy();
  }
}

/** One client of a room. Its slowness is its own. */
class RoomMember {
  readonly channel: Channel;
  readonly #doc: Y.Doc;
  readonly #awareness: Awareness;
  /** The clients that are present by this connection. */
  readonly #present = new Set<number>();
  #isSynced = false;
  #queuedBytes = 0;
  /** The document when it stopped being sent updates. */
  #behindSince: Uint8Array | undefined;

  constructor(channel: Channel, { doc, awareness }: Room) {
    this.channel = channel;
    this.#doc = doc;
    this.#awareness = awareness;
  }

  receive(frame: Uint8Array): void {
    const reader = new VarReader(frame);
    do this.#apply(readMessage(reader));
    while (reader.remaining > 0);
  }

  #apply(message: RoomMessage): void {
    if (message.kind === 'syncStep1') {
      this.send({ kind: 'syncStep2', update: Y.encodeStateAsUpdate(this.#doc, message.stateVector) });
      this.#isSynced = true;
      this.#showPresence();
    } else if (message.kind === 'syncStep2' || message.kind === 'update') {
      if (message.update.length > EMPTY_UPDATE_BYTES) Y.applyUpdate(this.#doc, message.update, this.channel);
    } else if (message.kind === 'awareness') {
      for (const clientId of this.#awareness.apply(message.update, this.channel)) this.#present.add(clientId);
    } else if (message.kind === 'queryAwareness') {
      this.#showPresence();
    }
  }

  leave(): void {
    this.#awareness.remove(this.#present, this.channel);
  }

  #showPresence(): void {
    if (this.#awareness.getStates().size === 0) return;
    this.send({ kind: 'awareness', update: this.#awareness.encode() });
  }

  sendPresence(message: Uint8Array): void {
    // Who is slow misses some: everybody says again and again that he is there.
    if (this.#queuedBytes <= QUEUE_BYTES_MAX) this.#enqueue(message);
  }

  sendUpdate(message: Uint8Array): void {
    // Before that it would be built on what the client has not got yet; the answer to its question will hold it.
    if (!this.#isSynced || this.#behindSince !== undefined) return;
    if (this.#queuedBytes > QUEUE_BYTES_MAX) {
      // This update is in the document already: it must come again.
      this.#behindSince = this.#sentVector;
      return;
    }
    this.#enqueue(message);
    this.#sentVector = Y.encodeStateVector(this.#doc);
  }

  #sentVector: Uint8Array = Uint8Array.of(0);

  send(message: Exclude<RoomMessage, { kind: 'unknown' }>): void {
    this.#enqueue(encodeMessage(message));
  }

  #enqueue(message: Uint8Array): void {
    const sent = this.channel.send(message);
    if (sent === undefined) return;
    this.#queuedBytes += message.length;
    void sent.then(
      () => this.#onSent(message.length),
      () => this.channel.close(),
    );
  }

  #onSent(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#behindSince === undefined || this.#queuedBytes > QUEUE_BYTES_MAX / 2) return;
    const update = Y.encodeStateAsUpdate(this.#doc, this.#behindSince);
    this.#behindSince = undefined;
    this.send({ kind: 'update', update });
  }
}
