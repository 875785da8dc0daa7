import type * as Y from 'yjs';

import { AwarenessStates, type PresentClient } from '../../../documents/awareness-states.js';
import {
  type DocumentLimits,
  documentLimitsDefault,
  type DocumentStore,
  type UpdateAuthor,
} from '../../../documents/document-store.js';
import type { RoomDefinition, RoomHandle, RoomLimits } from '../../../documents/room-definition.js';
import type { StoredDocument } from '../../../documents/stored-document.js';
import { headerBytes, Opcode, writeHeader } from '../../../net/websocket/frame.js';
import { encodeAwareness } from '../messages/awareness.js';
import { encodeMessage } from '../messages/message.js';
import type { Member } from './member.js';
import type { Rooms } from './rooms.js';
import { roomLimitsDefault } from './room-limits.js';

/** Something that leaves when the log is durable up to `offset`. */
interface Pending {
  readonly offset: number;
  /** What everybody is sent; undefined if only the author is to be told. */
  readonly message: Uint8Array | undefined;
  readonly author: Member | undefined;
  /** Told to the author instead of his dialect's acknowledgement. */
  readonly reply: Uint8Array | undefined;
}

/** A room with people in it. Holds no document of its own: updates go from the socket to the log and on. */
export class LiveRoom implements RoomHandle {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly definition: RoomDefinition;
  readonly limits: RoomLimits;
  readonly documents: DocumentStore;
  readonly document: StoredDocument;
  readonly members = new Set<Member>();
  readonly awareness = new AwarenessStates();
  /** Resolves when `onLoad` has run. */
  ready: Promise<void> | undefined;
  readonly #documentLimits: DocumentLimits;
  readonly #rooms: Rooms;
  #pending: Pending[] = [];
  #news = new Map<number, PresentClient>();
  #releasedOffset: number;

  constructor(
    id: string,
    params: Readonly<Record<string, string>>,
    definition: RoomDefinition,
    rooms: Rooms,
  ) {
    this.id = id;
    this.params = params;
    this.definition = definition;
    this.documents = rooms.documents;
    this.document = this.documents.open(id);
    this.#rooms = rooms;
    this.limits = { ...roomLimitsDefault, ...definition.limits };
    const { documentBytesMax, updateBytesMax } = this.limits;
    this.#documentLimits = { ...documentLimitsDefault, documentBytesMax, updateBytesMax };
    this.#releasedOffset = this.document.lastOffset;
  }

  get doc(): Y.Doc {
    return this.document.heat((update) => this.accept(update, SERVER, undefined));
  }

  seed(write: (doc: Y.Doc) => void): void {
    if (!this.document.isEmpty) return;
    const { doc } = this;
    doc.transact(() => write(doc));
  }

  broadcastStateless(payload: string): void {
    for (const member of this.members) member.sendStateless(payload);
  }

  /** Everything up to here was sent to whoever keeps up. */
  get releasedOffset(): number {
    return this.#releasedOffset;
  }

  /** Takes an update; throws UpdateError, and what the log throws. The author hears when it is on disk. */
  accept(update: Uint8Array, author: UpdateAuthor, member: Member | undefined): void {
    const result = this.documents.accept(this.document, update, author, this.#documentLimits);
    if (result.kind === 'known') return this.acknowledge(member);
    const message = encodeMessage({ kind: 'update', update: result.update });
    this.#pending.push({ offset: result.offset, message, author: member, reply: undefined });
    this.#rooms.releaseSoon(this);
    if (this.definition.onUpdate === undefined) return;
    const { offset } = result;
    this.#rooms.callHook(this, () =>
      this.definition.onUpdate?.(this, { sender: author.identity, update: result.update, offset }),
    );
  }

  /** Tells a member, when all that the document holds is on disk, that it is. */
  acknowledge(member: Member | undefined, reply?: Uint8Array): void {
    if (member === undefined) return;
    this.#pending.push({ offset: this.document.lastOffset, message: undefined, author: member, reply });
    this.#rooms.releaseSoon(this);
  }

  tellAwareness(news: readonly PresentClient[]): void {
    if (news.length === 0) return;
    for (const client of news) this.#news.set(client.clientId, client);
    this.#rooms.releaseSoon(this);
  }

  /** Sends what is durable, and news of who is present. Whether nothing is left to send. */
  release(durableOffset: number): boolean {
    const count = countDurable(this.#pending, durableOffset);
    const durable = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count);
    this.#pending = count === this.#pending.length ? [] : this.#pending.slice(count);
    if (count > 0) this.#releasedOffset = Math.max(this.#releasedOffset, durable.at(-1)!.offset);
    const messages = durable.flatMap(({ message }) => message ?? []);
    if (this.#news.size > 0) {
      messages.push(encodeMessage({ kind: 'awareness', update: encodeAwareness([...this.#news.values()]) }));
      this.#news = new Map();
    }
    if (messages.length > 0) this.#broadcast(messages);
    for (const { author, reply } of durable) author?.onKept(reply);
    return this.#pending.length === 0;
  }

  /** One buffer of frames for all who speak the same dialect. */
  #broadcast(messages: readonly Uint8Array[]): void {
    const framesByPrefix = new Map<string, Uint8Array>();
    for (const member of this.members) {
      if (!member.wantsUpdates) continue;
      let frames = framesByPrefix.get(member.address);
      if (frames === undefined) {
        frames = joinFrames(messages, member.prefix);
        framesByPrefix.set(member.address, frames);
      }
      member.sendFrames(frames);
    }
  }
}

const SERVER: UpdateAuthor = { identity: undefined, connectionId: undefined };

function countDurable(pending: readonly Pending[], durableOffset: number): number {
  let count = 0;
  while (count < pending.length && pending[count]!.offset <= durableOffset) count += 1;
  return count;
}

const frameBytes = (payloadBytes: number): number => headerBytes(payloadBytes) + payloadBytes;

function joinFrames(messages: readonly Uint8Array[], prefix: Uint8Array): Uint8Array {
  let bytes = 0;
  for (const message of messages) bytes += frameBytes(prefix.length + message.length);
  // Own memory, not a slice of Node's pool: a slow socket that keeps it must not keep anything else.
  const frames = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const message of messages) {
    at = writeHeader(frames, at, Opcode.binary, prefix.length + message.length);
    frames.set(prefix, at);
    frames.set(message, at + prefix.length);
    at += prefix.length + message.length;
  }
  return frames;
}
