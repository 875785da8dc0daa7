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
import { encodeAwareness } from '../messages/awareness.js';
import { encodeMessage } from '../messages/message.js';
import type { Member } from './member.js';
import type { Rooms } from './rooms.js';
import { Outbox } from './outbox.js';
import { roomLimitsDefault } from './room-limits.js';

/** Something that a member is told when the log is durable up to `offset`. */
interface Acknowledgement {
  readonly offset: number;
  readonly member: Member;
  /** Instead of his dialect's own. */
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
  /** Who has opened it and has not joined yet: it must not be closed before them. */
  arrivingCount = 0;
  /** Resolves when `onLoad` has run. */
  ready: Promise<void> | undefined;
  readonly #documentLimits: DocumentLimits;
  readonly #rooms: Rooms;
  // Made when they are needed: most rooms are quiet most of the time.
  #outbox: Outbox | undefined;
  #acknowledgements: Acknowledgement[] | undefined;
  #news: Map<number, PresentClient> | undefined;
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
    ({ room: this.limits, document: this.#documentLimits } = limitsOf(definition));
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
    const { offset } = result;
    (this.#outbox ??= new Outbox()).add(offset, update);
    if (member?.wantsAcknowledgement === true) this.acknowledge(member);
    this.#rooms.releaseSoon(this);
    if (this.definition.onUpdate === undefined) return;
    const kept = { sender: author.identity, update: update.slice(), offset };
    this.#rooms.callHook(this, () => this.definition.onUpdate?.(this, kept));
  }

  /** Tells a member, when all that the document holds is on disk, that it is. */
  acknowledge(member: Member | undefined, reply?: Uint8Array): void {
    if (member === undefined) return;
    (this.#acknowledgements ??= []).push({ offset: this.document.lastOffset, member, reply });
    this.#rooms.releaseSoon(this);
  }

  tellAwareness(news: readonly PresentClient[]): void {
    if (news.length === 0) return;
    this.#news ??= new Map();
    for (const client of news) this.#news.set(client.clientId, client);
    this.#rooms.releaseSoon(this);
  }

  /** Sends what is durable, and news of who is present. Whether nothing is left to send. */
  release(durableOffset: number): boolean {
    const outbox = this.#outbox;
    const count = outbox?.countUpTo(durableOffset) ?? 0;
    const news = this.#takeNews();
    if (count > 0 || news !== undefined) this.#broadcast(count, news);
    if (outbox !== undefined && count > 0) {
      this.#releasedOffset = Math.max(this.#releasedOffset, outbox.drop(count));
      if (outbox.count === 0) this.#outbox = undefined;
    }
    if (this.#acknowledgements !== undefined)
      this.#sendAcknowledgements(this.#acknowledgements, durableOffset);
    return this.#outbox === undefined && this.#acknowledgements === undefined;
  }

  #takeNews(): Uint8Array | undefined {
    if (this.#news === undefined) return undefined;
    const update = encodeAwareness([...this.#news.values()]);
    this.#news = undefined;
    return encodeMessage({ kind: 'awareness', update });
  }

  /** One buffer of frames for all who speak the same dialect. */
  #broadcast(count: number, news: Uint8Array | undefined): void {
    const outbox = this.#outbox ?? NOTHING;
    let plain: Uint8Array | undefined;
    const framesByAddress = new Map<string, Uint8Array>();
    for (const member of this.members) {
      if (!member.wantsUpdates) continue;
      const { address, prefix } = member;
      let frames = address === '' ? plain : framesByAddress.get(address);
      if (frames === undefined) {
        frames = outbox.frames(count, prefix, news);
        if (address === '') plain = frames;
        else framesByAddress.set(address, frames);
      }
      member.sendFrames(frames);
    }
  }

  #sendAcknowledgements(waiting: Acknowledgement[], durableOffset: number): void {
    let count = 0;
    while (count < waiting.length && waiting[count]!.offset <= durableOffset) count += 1;
    this.#acknowledgements = count === waiting.length ? undefined : waiting.slice(count);
    for (const { member, reply } of waiting.slice(0, count)) member.onKept(reply);
  }
}

const NOTHING = new Outbox();
const SERVER: UpdateAuthor = { identity: undefined, connectionId: undefined };

interface Limits {
  readonly room: RoomLimits;
  readonly document: DocumentLimits;
}

const limitsByDefinition = new WeakMap<RoomDefinition, Limits>();

/** All rooms of a kind share them. */
function limitsOf(definition: RoomDefinition): Limits {
  let limits = limitsByDefinition.get(definition);
  if (limits === undefined) {
    const room = { ...roomLimitsDefault, ...definition.limits };
    const { documentBytesMax, updateBytesMax } = room;
    limits = { room, document: { ...documentLimitsDefault, documentBytesMax, updateBytesMax } };
    limitsByDefinition.set(definition, limits);
  }
  return limits;
}
