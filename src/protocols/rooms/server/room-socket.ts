import { VarReader } from '../../../base/var-reader.js';
import { WireError } from '../../../base/wire-error.js';
import type { RoomContext } from '../../../documents/room-definition.js';
import { AuthError } from '../../../identity/auth-error.js';
import type { Credentials } from '../../../identity/tokens.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import type { ConnectionId } from '../../../values/identity.js';
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
  readonly credentials: Credentials;
  readonly connectionId: ConnectionId;
  readonly nowMicros: () => number;
  /** Checks a token that comes in a frame. Throws AuthError. */
  readonly verify: (token: string) => Promise<Credentials>;
}

/** One document of a socket: first asked for, then joined. */
interface Place {
  readonly queue: Uint8Array[];
  isAuthenticating: boolean;
  member: Member | undefined;
}

/** A socket of any client: finds out by its first frame which kind it is, and joins the rooms that it asks for. */
export class RoomSocket implements WebSocketHandler {
  readonly #options: RoomSocketOptions;
  readonly #places = new Map<string, Place>();
  #dialect: Dialect | undefined;
  #queuedBytes = 0;
  #queuedFrames = 0;
  #isClosed = false;

  constructor(options: RoomSocketOptions) {
    this.#options = options;
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    const { connection } = this.#options;
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
    for (const { member } of this.#places.values()) member?.onOverflow();
  }

  onDrain(): void {
    for (const { member } of this.#places.values()) member?.onDrain();
  }

  onClose(): void {
    this.#isClosed = true;
    for (const { member } of this.#places.values())
      if (member !== undefined) this.#options.rooms.leave(member);
    this.#places.clear();
  }

  #receivePlain(frame: Uint8Array): void {
    let place = this.#places.get('');
    if (place === undefined) {
      place = this.#addPlace('');
      void this.#join('', place, this.#options.pathRoom, this.#options.credentials);
    }
    if (place.member === undefined) this.#queue(place, frame);
    else deliverPlain(place.member, frame);
  }

  #receiveHocuspocus(frame: Uint8Array): void {
    if (isPing(frame)) return this.#options.connection.sendBinary(PONG);
    const decoded = decodeHocuspocus(frame);
    const place = this.#places.get(decoded.address) ?? this.#addPlace(decoded.address);
    if (decoded.message.kind === 'token') this.#authenticate(decoded, decoded.message.token, place);
    else if (place.member === undefined) this.#queue(place, frame);
    else this.#deliver(place.member, decoded);
  }

  #deliver(member: Member, { address, message }: HocuspocusFrame): void {
    if (message.kind !== 'close') return member.receive(message);
    this.#options.rooms.leave(member);
    this.#places.delete(address);
  }

  #addPlace(address: string): Place {
    const waiting = [...this.#places.values()].filter(({ member }) => member === undefined).length;
    if (this.#places.size >= DOCUMENTS_PER_SOCKET_MAX || waiting >= DOCUMENTS_UNAUTHENTICATED_MAX)
      throw new WireError('BAD_LENGTH', 'too many documents on one socket');
    const place: Place = { queue: [], isAuthenticating: false, member: undefined };
    this.#places.set(address, place);
    return place;
  }

  /** Keeps a frame until it is known who sends it. */
  #queue({ queue }: Place, frame: Uint8Array): void {
    this.#queuedBytes += frame.length;
    this.#queuedFrames += 1;
    if (this.#queuedBytes > QUEUE_BYTES_MAX || this.#queuedFrames > QUEUE_FRAMES_MAX)
      return this.#options.connection.close(
        RoomClose.policy,
        'too much was sent before it was known who sends it',
      );
    queue.push(frame.slice());
  }

  #authenticate({ address, documentName }: HocuspocusFrame, token: string, place: Place): void {
    // A joined client sends its token again when it was renewed; the room asks `authorize` by itself.
    if (place.isAuthenticating || place.member !== undefined) return;
    place.isAuthenticating = true;
    const { credentials, verify } = this.#options;
    const checked = token === '' ? Promise.resolve(credentials) : verify(token);
    void checked.then(
      (found) => this.#join(address, place, documentName, found),
      (error: unknown) => {
        if (!(error instanceof AuthError)) this.#options.rooms.onError(error, 'token of a room');
        this.#deny(address, 'the token is not accepted', RoomClose.unauthorized);
      },
    );
  }

  async #join(address: string, place: Place, name: string, credentials: Credentials): Promise<void> {
    const { rooms, connection, connectionId, nowMicros } = this.#options;
    const checked = checkRoomId(name);
    if (checked.kind === 'invalid') return this.#deny(address, checked.reason, RoomClose.forbidden);
    const { id } = checked;
    const context: RoomContext = {
      sender: credentials.identity,
      connectionId,
      tokenPayload: credentials.payload,
      timestampMicros: nowMicros(),
    };
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
    if (this.#isClosed || this.#places.get(address) !== place) return rooms.leaveEarly(room);
    if (rooms.find(id) !== room) return connection.close(RoomClose.away, 'the room was closed meanwhile');
    if (room.members.size >= room.limits.clientsMax) {
      rooms.leaveEarly(room);
      return this.#deny(address, `the room is full (${room.limits.clientsMax} clients)`, RoomClose.policy);
    }
    const dialect = this.#dialect ?? 'plain';
    const onEnd = (): void => this.#leave(address, member);
    const member = new Member({ rooms, room, connection, dialect, address, context, access, onEnd });
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

  #deliverQueue({ queue }: Place, member: Member): void {
    for (const frame of queue.splice(0)) {
      this.#queuedBytes -= frame.length;
      this.#queuedFrames -= 1;
      try {
        if (this.#dialect === 'plain') deliverPlain(member, frame);
        else this.#deliver(member, decodeHocuspocus(frame));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return this.#options.connection.close(RoomClose.malformed, error.message);
      }
    }
  }

  #leave(address: string, member: Member): void {
    this.#options.rooms.leave(member);
    this.#places.delete(address);
  }

  #deny(address: string, reason: string, code: number): void {
    const { connection } = this.#options;
    this.#places.delete(address);
    if (this.#dialect === 'hocuspocus') {
      connection.sendBinary(encodeAddress(address), encodePermissionDenied(reason));
    } else {
      connection.sendBinary(encodeMessage({ kind: 'denied', reason }));
      connection.close(code, reason);
    }
  }
}

function deliverPlain(member: Member, frame: Uint8Array): void {
  const reader = new VarReader(frame);
  do member.receive(readMessage(reader));
  while (reader.remaining > 0);
}
