import { documentToJson, documentToText } from '../../../documents/document-json.js';
import type { RoomAccess, RoomContext } from '../../../documents/room-definition.js';
import { restoreVersion } from '../../../documents/restore-version.js';
import { UpdateError } from '../../../documents/update-error.js';
import { waitUntilDurable } from '../../../engine/log/commit-log.js';
import { AuthError } from '../../../identity/auth-error.js';
import { parseAuthorization } from '../../../identity/authorization.js';
import type { Claims, TokenAuthority } from '../../../identity/tokens.js';
import { HttpError } from '../../../net/http/http-error.js';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../../net/http/http-message.js';
import type { HttpRouter } from '../../../net/http/http-router.js';
import { ConnectionId } from '../../../values/identity.js';
import { checkRoomId } from '../messages/room-id.js';
import type { LiveRoom } from './live-room.js';
import type { Rooms } from './rooms.js';

/*
 * Documents over HTTP, below `/v1/rooms` (default database) or `/v1/database/:name/rooms`. The room's name is one segment: slashes in it
 * are percent-encoded.
 *
 * | GET  /:room/json             | the shared types as JSON                                           |
 * | GET  /:room/text?root=NAME   | one shared text                                                    |
 * | GET  /:room/update?at=OFFSET | the document as one Yjs update, as it is or as it was              |
 * | POST /:room/update           | applies a Yjs update (the body); answers when it is on disk         |
 * | GET  /:room/versions         | [{ offset, timestampMicros, author }], oldest first                |
 * | POST /:room/restore?at=OFFSET | brings the document back to what it was, as an edit on top          |
 */

export interface RoomHttpOptions {
  readonly find: (database: string | undefined) => Rooms | undefined;
  readonly authority: TokenAuthority;
  readonly nowMicros: () => number;
}

// As an update over a socket.
const BODY_BYTES_MAX = 16 * 1024 * 1024;

type Action = (visit: Visit) => HttpResponse | Promise<HttpResponse>;

interface Visit {
  readonly request: HttpRequest;
  readonly rooms: Rooms;
  readonly room: LiveRoom;
  readonly context: RoomContext;
}

export function addRoomHttp(router: HttpRouter, options: RoomHttpOptions): void {
  const add = (method: string, path: string, access: RoomAccess, action: Action): void => {
    const handler: HttpHandler = (request) => visit(options, request, access, action);
    for (const base of ['/v1/rooms', '/v1/database/:name/rooms'])
      router.route(method, `${base}/:room/${path}`, handler, { bodyBytesMax: BODY_BYTES_MAX });
  };
  add('GET', 'json', 'read', ({ request, room }) => json(documentToJson(contentOf(request, room))));
  add('GET', 'text', 'read', ({ request, room }) => ({
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: documentToText(contentOf(request, room), request.query.get('root') ?? 'text'),
  }));
  add('GET', 'update', 'read', ({ request, room }) => ({
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: contentOf(request, room),
  }));
  add('GET', 'versions', 'read', ({ room }) =>
    json(
      room.document.versions().map(({ offset, timestampMicros, author }) => ({
        offset,
        timestampMicros,
        author: author?.toHexString() ?? null,
      })),
    ),
  );
  add('POST', 'update', 'write', async (visited) => apply(visited, await visited.request.readBody()));
  add('POST', 'restore', 'write', (visited) => {
    const { room, request } = visited;
    if (request.query.get('at') === null) throw new HttpError(400, 'say which version: ?at=OFFSET');
    return apply(visited, restoreVersion(contentOf(request, room), room.document.whole()));
  });
}

/** The document as the request's `at` wants it. */
function contentOf({ query }: HttpRequest, { document }: LiveRoom): Uint8Array {
  const at = query.get('at');
  if (at === null) return document.whole();
  if (!/^\d{1,15}$/.test(at)) throw new HttpError(400, 'an offset is a whole number');
  return document.at(Number(at));
}

function apply({ room, context }: Visit, update: Uint8Array): HttpResponse {
  try {
    room.accept(update, { identity: context.sender, connectionId: undefined }, undefined);
  } catch (error) {
    if (error instanceof UpdateError)
      throw new HttpError(error.code === 'MALFORMED' ? 400 : 413, error.message);
    throw error;
  }
  return json({ offset: room.document.lastOffset });
}

async function visit(
  { find, authority, nowMicros }: RoomHttpOptions,
  request: HttpRequest,
  needed: RoomAccess,
  action: Action,
): Promise<HttpResponse> {
  const rooms = find(request.params['name']);
  const checked = checkRoomId(request.params['room'] ?? '');
  if (checked.kind === 'invalid') throw new HttpError(400, checked.reason);
  const matched = rooms?.match(checked.id);
  if (rooms === undefined || matched === undefined) throw new HttpError(404, 'there is no such room');
  const { identity: sender, payload: tokenPayload } = await authenticate(authority, request);
  const connectionId = new ConnectionId(0n);
  const context: RoomContext = { sender, connectionId, tokenPayload, timestampMicros: nowMicros() };
  const access = await rooms.authorize(checked.id, context);
  if (access === 'deny' || (needed === 'write' && access !== 'write'))
    throw new HttpError(403, 'you may not do that with this document');
  const room = rooms.open(checked.id, matched);
  try {
    await room.ready;
    const response = await action({ request, rooms, room, context });
    await confirm(rooms, room);
    return response;
  } finally {
    rooms.leaveEarly(room);
  }
}

/** Nobody is told what a crash could take back, whether he wrote it or read it. */
async function confirm({ log }: Rooms, { document }: LiveRoom): Promise<void> {
  try {
    await waitUntilDurable(log, document.lastOffset);
  } catch {
    throw new HttpError(503, 'the database cannot write to its disk: what was done may be lost');
  }
}

async function authenticate(authority: TokenAuthority, { headers, query }: HttpRequest): Promise<Claims> {
  try {
    return await authority.identify(parseAuthorization(headers, query));
  } catch (error) {
    if (error instanceof AuthError) throw new HttpError(error.httpStatus, error.message);
    throw error;
  }
}

function json(value: unknown): HttpResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
