import type * as Y from 'yjs';

import type { ConnectionId, Identity } from '../values/identity.js';

/** What somebody may do in a room. Who may read sees the document and who is present, and shows himself. */
export type RoomAccess = 'write' | 'read' | 'deny';

export interface RoomContext {
  readonly sender: Identity;
  readonly connectionId: ConnectionId;
  /** The payload of the token as it was signed, JSON. */
  readonly tokenPayload: string;
  readonly timestampMicros: number;
}

/** A room as its hooks see it. */
export interface RoomHandle {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  /** The document in memory, made at the first look. What is edited in it is logged and sent to everybody. */
  readonly doc: Y.Doc;
  /** Runs `write` if nobody has ever written in this document: content that must be there once, whoever opens it and how often. */
  seed(write: (doc: Y.Doc) => void): void;
  /** Sends a text to the room's Hocuspocus clients. */
  broadcastStateless(payload: string): void;
}

export interface RoomUpdate {
  readonly sender: Identity | undefined;
  readonly update: Uint8Array;
  /** Where in the log it is. */
  readonly offset: number;
}

export interface RoomLimits {
  /** Bytes of all updates of a document together. */
  readonly documentBytesMax: number;
  readonly updateBytesMax: number;
  /** Of one identity, over all its connections; after a burst of ten seconds' worth. What is too much is asked for again later. */
  readonly updatesPerSecond: number;
  readonly clientsMax: number;
}

/** Rooms of one kind, and who may do what in them. */
export interface RoomDefinition {
  /** Default: everybody may write. Asked when somebody joins, and again by `reauthorize`. What it throws denies. */
  authorize?(ctx: RoomContext, params: Readonly<Record<string, string>>): RoomAccess | Promise<RoomAccess>;
  /** Before the first client is let in. */
  onLoad?(room: RoomHandle): void | Promise<void>;
  /** After each update that was taken; it may not be on disk yet. */
  onUpdate?(room: RoomHandle, update: RoomUpdate): void;
  /** After the last client has left. */
  onUnload?(room: RoomHandle): void;
  /** A text from a Hocuspocus client. */
  onStateless?(room: RoomHandle, payload: string, sender: Identity): void;
  readonly limits?: Partial<RoomLimits>;
}

/** By pattern: `notes/:id`, or `*path` for every room. The first that matches counts. */
export type RoomDefinitions = Readonly<Record<string, RoomDefinition>>;
