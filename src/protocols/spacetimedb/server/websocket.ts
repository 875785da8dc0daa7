import { AuthError } from '../../../identity/auth-error.js';
import { parseAuthorization } from '../../../identity/authorization.js';
import type { Credentials, TokenAuthority } from '../../../identity/tokens.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import type { UpgradeDecision, UpgradeRequest, UpgradeRoute } from '../../../net/websocket/upgrade.js';
import type { Random } from '../../../base/random.js';
import { ConnectionId } from '../../../values/identity.js';
import { CLIENT_MESSAGE_BYTES_MAX, SUBPROTOCOLS } from '../messages/frame.js';
import type { Subprotocol } from '../messages/frame.js';
import type { Catalog } from './catalog.js';
import type { SessionLink } from './framing.js';
import { findDatabase } from './find-database.js';
import type { SessionLimits } from './limits.js';
import type { DatabaseRuntime } from './runtime.js';
import { Session } from './session.js';

export interface SubscribeRouteOptions {
  readonly catalog: Catalog;
  readonly authority: TokenAuthority;
  readonly random: Random;
  readonly limits?: Partial<SessionLimits>;
  readonly onError: (error: unknown, where: string) => void;
}

/**
 * The WebSocket of a database, `GET /v1/database/:name/subscribe`.
 *
 * | query parameter | values                        | default                                             |
 * | connection_id   | 32 hex digits, not all zeros  | random                                              |
 * | compression     | None, Gzip, Brotli            | read, not used: frames are never compressed         |
 * | confirmed       | true, false                   | true: a client hears of what is on disk             |
 * | light           | true, false                   | read, not used: it means something in v1 only       |
 * | token           | a JWT                         | the Authorization header, or else a new identity    |
 */
export function subscribeRoute(options: SubscribeRouteOptions): UpgradeRoute {
  return {
    pattern: '/v1/database/:name/subscribe',
    accept: (request) => decide(options, request),
  };
}

async function decide(options: SubscribeRouteOptions, request: UpgradeRequest): Promise<UpgradeDecision> {
  const found = findDatabase(options.catalog, request.params['name'] ?? '');
  if (found.kind !== 'found') return reject(found.status, found.message);
  const credentials = await authenticate(options.authority, request);
  if (credentials instanceof AuthError) return reject(credentials.httpStatus, credentials.message);
  const headers = {
    'spacetime-identity': credentials.identity.toHexString(),
    'spacetime-identity-token': credentials.token,
  };
  const protocol = SUBPROTOCOLS.find((name) => request.offeredProtocols.includes(name));
  if (protocol === undefined) return reject(400, noProtocol(request.offeredProtocols), headers);
  const query = readQuery(request.query, options.random);
  if (typeof query === 'string') return reject(400, query, headers);
  return {
    kind: 'accept',
    protocol,
    headers,
    limits: { messageBytesMax: CLIENT_MESSAGE_BYTES_MAX },
    open: (connection) => openSession(options, found.database, connection, protocol, credentials, query),
  };
}

async function authenticate(
  authority: TokenAuthority,
  request: UpgradeRequest,
): Promise<Credentials | AuthError> {
  try {
    const token = parseAuthorization(request.headers, request.query);
    return token === undefined ? await authority.mintAnonymous() : await authority.verify(token);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}

function reject(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): UpgradeDecision {
  return { kind: 'reject', status, body, headers };
}

function noProtocol(offered: readonly string[]): string {
  const asked = offered.length === 0 ? 'none' : offered.join(', ');
  return `no valid protocol selected: this server speaks ${SUBPROTOCOLS.join(' and ')}, the client offered ${asked}`;
}

interface SubscribeQuery {
  readonly connectionId: ConnectionId;
  readonly confirmed: boolean;
}

/** The parameters, or what is wrong with them. Unknown ones are left alone, as clients send more than we know. */
function readQuery(query: URLSearchParams, random: Random): SubscribeQuery | string {
  const compression = query.get('compression') ?? 'None';
  if (!['None', 'Gzip', 'Brotli'].includes(compression)) return 'compression is None, Gzip or Brotli';
  const confirmed = query.get('confirmed') ?? 'true';
  if (confirmed !== 'true' && confirmed !== 'false') return 'confirmed is true or false';
  const id = query.get('connection_id');
  if (id === null) return { connectionId: randomConnectionId(random), confirmed: confirmed === 'true' };
  if (!/^[0-9a-fA-F]{32}$/.test(id)) return 'Invalid connection ID: it has 32 hexadecimal digits.';
  const connectionId = ConnectionId.fromStringOrNull(id);
  if (connectionId === null) return 'Invalid connection ID: the all-zeros ConnectionId is reserved.';
  return { connectionId, confirmed: confirmed === 'true' };
}

/** A connection id nobody else has; all zeros would mean "none". */
export function randomConnectionId(random: Random): ConnectionId {
  for (;;) {
    const id = ConnectionId.nullIfZero(ConnectionId.fromBytes(random.fill(new Uint8Array(16))));
    if (id !== null) return id;
  }
}

function openSession(
  options: SubscribeRouteOptions,
  database: DatabaseRuntime,
  connection: WebSocketConnection,
  protocol: Subprotocol,
  credentials: Credentials,
  { connectionId, confirmed }: SubscribeQuery,
): WebSocketHandler {
  const session = new Session({
    protocol,
    database,
    caller: { identity: credentials.identity, connectionId, tokenPayload: credentials.payload },
    token: credentials.token,
    confirmed,
    link: new WebSocketLink(connection),
    onError: options.onError,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  // Refused: the answer to the handshake still leaves, so that the client sees a connection that ends and not a failed one.
  if (!session.start()) setImmediate(() => connection.destroy());
  return {
    onMessage: (data, isText) => (isText ? session.receiveText(decodeText(data)) : session.receive(data)),
    onTurnEnd: () => session.endTurn(),
    onClose: () => session.closed(),
  };
}

const utf8 = new TextDecoder();

/** Checked by the WebSocket layer to be UTF-8. */
function decodeText(data: Uint8Array): string {
  return utf8.decode(data);
}

class WebSocketLink implements SessionLink {
  readonly #connection: WebSocketConnection;

  constructor(connection: WebSocketConnection) {
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  send(...parts: Uint8Array[]): void {
    this.#connection.sendBinary(...parts);
  }

  sendText(text: string): void {
    this.#connection.sendText(text);
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}
