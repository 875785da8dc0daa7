import { VarReader } from '../../../base/var-reader.js';
import { WireError } from '../../../base/wire-error.js';
import type { RoomContext } from '../../../documents/room-definition.js';
import { AuthError } from '../../../identity/auth-error.js';
import type { Credentials } from '../../../identity/tokens.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import { type Dialect, dialectOf } from '../messages/dialect.js';
import {
  decodeHocuspocus,
  encodeAddress,
  encodeAuthenticated,
  encodePermissionDenied,
  type HocuspocusFrame,
  isPing,
  PONG,
} from '../messages/hocuspocus.js';
import { encodeMessage, readMessage } from '../messages/message.js';
import { checkRoomId } from '../messages/room-id.js';
import { RoomClose } from './close-code.js';
import { Member } from './member.js';
import {
  DOCUMENTS_PER_SOCKET_MAX,
  DOCUMENTS_UNAUTHENTICATED_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_FRAMES_MAX,
} from './room-limits.js';
import type { Rooms } from './rooms.js';

export interface RoomSocketOptions {
  readonly rooms: Rooms;
  readonly connection: WebSocketConnection;
  /** The room that the path names. Hocuspocus clients name theirs in frames instead. */
  readonly pathRoom: string;
  /** Who opened the socket. */
  readonly context: RoomContext;
  /** Who shows a token in a frame. Rejects with AuthError. */
  readonly verify: TokenVerifier;
}

export type TokenVerifier = (token: string) => Promise<Pick<Credentials, 'identity' | 'payload'>>;

/** One document of a socket: first asked for, then joined. */
interface Place {
  /** Frames from before it was joined. */
  queue: Uint8Array[] | undefined;
  isAuthenticating: boolean;
  member: Member | undefined;
}

/** A socket of any client: finds out by its first frame which kind it is, and joins the rooms that it asks for. */
export class RoomSocket implements WebSocketHandler {
  // Each by itself: thousands of sockets are open, and most have one document.
  readonly #rooms: Rooms;
  readonly #connection: WebSocketConnection;
  readonly #pathRoom: string;
  readonly #context: RoomContext;
  readonly #verify: TokenVerifier;
  #plainPlace: Place | undefined;
  /** Hocuspocus'. */
  #places: Map<string, Place> | undefined;
  #dialect: Dialect | undefined;
  #queuedBytes = 0;
  #queuedFrames = 0;
  #isClosed = false;

  constructor({ rooms, connection, pathRoom, context, verify }: RoomSocketOptions) {
    this.#rooms = rooms;
    this.#connection = connection;
    this.#pathRoom = pathRoom;
    this.#context = context;
    this.#verify = verify;
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    const connection = this.#connection;
    if (isText) return connection.close(RoomClose.textFrame, 'documents are synchronised in binary frames');
    if (data.length === 0) return connection.close(RoomClose.malformed, 'an empty frame');
    this.#dialect ??= dialectOf(data);
    try {
      if (this.#dialect === 'plain') this.#receivePlain(data);
      else this.#receiveHocuspocus(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      connection.close(RoomClose.malformed, error.message);
    }
  }

  onOverflow(): void {
    for (const member of this.#members()) member.onOverflow();
  }

  onDrain(): void {
    for (const member of this.#members()) member.onDrain();
  }

  onClose(): void {
    this.#isClosed = true;
    for (const member of this.#members()) this.#rooms.leave(member);
    this.#plainPlace = undefined;
    this.#places = undefined;
  }

  #members(): Member[] {
    const places = this.#plainPlace === undefined ? (this.#places?.values() ?? []) : [this.#plainPlace];
    return Array.from(places).flatMap(({ member }) => member ?? []);
  }

  #placeOf(address: string): Place | undefined {
    return address === '' ? this.#plainPlace : this.#places?.get(address);
  }

  #removePlace(address: string): void {
    if (address === '') this.#plainPlace = undefined;
    else this.#places?.delete(address);
  }

  #receivePlain(frame: Uint8Array): void {
    let place = this.#plainPlace;
    if (place === undefined) {
      this.#plainPlace = place = makePlace();
      void this.#join('', place, this.#pathRoom, this.#context);
    }
    if (place.member === undefined) this.#queue(place, frame);
    else deliverPlain(place.member, frame);
  }

  #receiveHocuspocus(frame: Uint8Array): void {
    if (isPing(frame)) return this.#connection.sendBinary(PONG);
    const decoded = decodeHocuspocus(frame);
    const place = this.#placeOf(decoded.address) ?? this.#addPlace(decoded.address);
    if (decoded.message.kind === 'token') this.#authenticate(decoded, decoded.message.token, place);
    else if (place.member === undefined) this.#queue(place, frame);
    else this.#deliver(place.member, decoded);
  }

  #deliver(member: Member, { address, message }: HocuspocusFrame): void {
    if (message.kind !== 'close') return member.receive(message);
    this.leave(address, member);
  }

  #addPlace(address: string): Place {
    const places = (this.#places ??= new Map());
    const waiting = [...places.values()].filter(({ member }) => member === undefined).length;
    if (places.size >= DOCUMENTS_PER_SOCKET_MAX || waiting >= DOCUMENTS_UNAUTHENTICATED_MAX)
      throw new WireError('BAD_LENGTH', 'too many documents on one socket');
    const place = makePlace();
    places.set(address, place);
    return place;
  }

  /** Keeps a frame until it is known who sends it. */
  #queue(place: Place, frame: Uint8Array): void {
    this.#queuedBytes += frame.length;
    this.#queuedFrames += 1;
    if (this.#queuedBytes > QUEUE_BYTES_MAX || this.#queuedFrames > QUEUE_FRAMES_MAX)
      return this.#connection.close(RoomClose.policy, 'too much was sent before it was known who sends it');
    (place.queue ??= []).push(frame.slice());
  }

  #authenticate({ address, documentName }: HocuspocusFrame, token: string, place: Place): void {
    // A joined client sends its token again when it was renewed; the room asks `authorize` by itself.
    if (place.isAuthenticating || place.member !== undefined) return;
    place.isAuthenticating = true;
    void this.#contextOf(token).then(
      (context) => this.#join(address, place, documentName, context),
      (error: unknown) => {
        if (!(error instanceof AuthError)) this.#rooms.onError(error, 'token of a room');
        this.#deny(address, 'the token is not accepted', RoomClose.unauthorized);
      },
    );
  }

  /** Who shows that token; an empty one is none. */
  async #contextOf(token: string): Promise<RoomContext> {
    if (token === '') return this.#context;
    const { identity, payload } = await this.#verify(token);
    return { ...this.#context, sender: identity, tokenPayload: payload };
  }

  async #join(address: string, place: Place, name: string, context: RoomContext): Promise<void> {
    const rooms = this.#rooms;
    const connection = this.#connection;
    const checked = checkRoomId(name);
    if (checked.kind === 'invalid') return this.#deny(address, checked.reason, RoomClose.forbidden);
    const { id } = checked;
    const asked = rooms.permissionVersion;
    const access = await rooms.authorize(id, context);
    const matched = rooms.match(id);
    if (access === 'deny' || matched === undefined)
      return this.#deny(address, 'you may not use this document', RoomClose.forbidden);
    const room = rooms.open(id, matched);
    try {
      await room.ready;
    } catch (error) {
      rooms.onError(error, `onLoad of room ${id}`);
      rooms.leaveEarly(room);
      return this.#deny(address, 'the document could not be loaded', RoomClose.failed);
    }
    if (this.#isClosed || this.#placeOf(address) !== place) return rooms.leaveEarly(room);
    if (rooms.find(id) !== room) return connection.close(RoomClose.away, 'the room was closed meanwhile');
    if (room.members.size >= room.limits.clientsMax) {
      rooms.leaveEarly(room);
      return this.#deny(address, `the room is full (${room.limits.clientsMax} clients)`, RoomClose.policy);
    }
    const dialect = this.#dialect ?? 'plain';
    const member = new Member({ rooms, room, connection, dialect, address, context, access, socket: this });
    place.member = member;
    rooms.join(member, asked);
    if (dialect === 'hocuspocus')
      connection.sendBinary(
        member.prefix,
        encodeAuthenticated(access === 'write' ? 'read-write' : 'readonly'),
      );
    member.greet();
    this.#deliverQueue(place, member);
  }

  #deliverQueue(place: Place, member: Member): void {
    const queue = place.queue ?? [];
    place.queue = undefined;
    for (const frame of queue) {
      this.#queuedBytes -= frame.length;
      this.#queuedFrames -= 1;
      try {
        if (this.#dialect === 'plain') deliverPlain(member, frame);
        else this.#deliver(member, decodeHocuspocus(frame));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return this.#connection.close(RoomClose.malformed, error.message);
      }
    }
  }

  /** Its part of the socket is over. */
  leave(address: string, member: Member): void {
    this.#rooms.leave(member);
    this.#removePlace(address);
  }

  #deny(address: string, reason: string, code: number): void {
    const connection = this.#connection;
    this.#removePlace(address);
    if (this.#dialect === 'hocuspocus') {
      connection.sendBinary(encodeAddress(address), encodePermissionDenied(reason));
    } else {
      connection.sendBinary(encodeMessage({ kind: 'denied', reason }));
      connection.close(code, reason);
    }
  }
}

function makePlace(): Place {
  return { queue: undefined, isAuthenticating: false, member: undefined };
}

function deliverPlain(member: Member, frame: Uint8Array): void {
  const reader = new VarReader(frame);
  do member.receive(readMessage(reader));
  while (reader.remaining > 0);
}
