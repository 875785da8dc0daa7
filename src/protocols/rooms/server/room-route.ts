import type { Random } from '../../../base/random.js';
import { AuthError } from '../../../identity/auth-error.js';
import { parseAuthorization } from '../../../identity/authorization.js';
import type { Claims, TokenAuthority } from '../../../identity/tokens.js';
import type { UpgradeDecision, UpgradeRequest, UpgradeRoute } from '../../../net/websocket/upgrade.js';
import { ConnectionId } from '../../../values/identity.js';
import { checkRoomId } from '../messages/room-id.js';
import { RoomSocket, type TokenVerifier } from './room-socket.js';
import type { Rooms } from './rooms.js';

export interface RoomRouteOptions {
  /** Every path of `pattern`'s tail or parameter `path` is a room's name. */
  readonly pattern: string;
  /** The rooms of the database that the request means. */
  findRooms(request: UpgradeRequest): Rooms | undefined;
  readonly authority: TokenAuthority;
  readonly random: Random;
  readonly nowMicros: () => number;
}

// y/hub's clients put their token there.
const TOKEN_PROTOCOL = 'yauth-';

/** WebSockets of shared documents. Bare paths are taken only without a subprotocol: others have one. */
export function roomRoute(options: RoomRouteOptions): UpgradeRoute {
  const verify: TokenVerifier = (token) => options.authority.verify(token);
  return { pattern: options.pattern, accept: (request) => decide({ ...options, verify }, request) };
}

async function decide(
  options: RoomRouteOptions & { readonly verify: TokenVerifier },
  request: UpgradeRequest,
): Promise<UpgradeDecision> {
  const protocol = request.offeredProtocols.find((name) => name.startsWith(TOKEN_PROTOCOL));
  if (protocol === undefined && request.offeredProtocols.length > 0) return { kind: 'pass' };
  const rooms = options.findRooms(request);
  if (rooms === undefined)
    return { kind: 'reject', status: 404, body: 'there is no database for rooms here' };
  const room = checkRoomId(request.params['path'] ?? '');
  if (room.kind === 'invalid') return { kind: 'reject', status: 400, body: room.reason };
  const { authority, random, nowMicros, verify } = options;
  const credentials = await authenticate(authority, request, protocol);
  if (credentials instanceof AuthError)
    return { kind: 'reject', status: credentials.httpStatus, body: credentials.message };
  // Not the token itself: it would be kept as long as the socket.
  const { identity: sender, payload: tokenPayload } = credentials;
  return {
    kind: 'accept',
    ...(protocol === undefined ? {} : { protocol }),
    open: (connection) =>
      new RoomSocket({
        rooms,
        connection,
        pathRoom: room.id,
        context: {
          sender,
          connectionId: ConnectionId.fromBytes(random.fill(new Uint8Array(16))),
          tokenPayload,
          timestampMicros: nowMicros(),
        },
        verify,
      }),
  };
}

async function authenticate(
  authority: TokenAuthority,
  { headers, query }: UpgradeRequest,
  protocol: string | undefined,
): Promise<Claims | AuthError> {
  try {
    const token =
      protocol?.slice(TOKEN_PROTOCOL.length) ?? query.get('yauth') ?? parseAuthorization(headers, query);
    return await authority.identify(token);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}
