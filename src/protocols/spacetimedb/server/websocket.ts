import { waitUntilDurable } from '../../../engine/log/commit-log.js';
import { AuthError } from '../../../identity/auth-error.js';
import { parseAuthorization } from '../../../identity/authorization.js';
import type { Credentials, TokenAuthority } from '../../../identity/tokens.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import type { UpgradeDecision, UpgradeRequest, UpgradeRoute } from '../../../net/websocket/upgrade.js';
import type { Random } from '../../../base/random.js';
import { ConnectionId } from '../../../values/identity.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  SUBPROTOCOLS,
  TEXT_SUBPROTOCOL,
  V1_SUBPROTOCOLS,
} from '../messages/frame.js';
import type { Catalog } from './catalog.js';
import type { SessionLink } from './framing.js';
import { withBearer } from './basic-token.js';
import { findDatabase } from './find-database.js';
import type { SessionLimits } from './limits.js';
import type { DatabaseRuntime } from './runtime.js';
import { Session } from './session.js';
import type { AskedCompression, WireOptions } from './wires/make-wire.js';

/** In the order of our preference. */
const SERVED = [...SUBPROTOCOLS, ...V1_SUBPROTOCOLS] as const;

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
 * | compression     | None, Gzip, Brotli            | None. v1.bsatn only: v2 and v3 are never compressed |
 * | confirmed       | true, false                   | true: a client hears of what is on disk; v1: false  |
 * | light           | true, false                   | false. v1 only: others' reducers are not named      |
 * | token           | a JWT                         | the Authorization header, or else a new identity    |
 */
export function subscribeRoute(options: SubscribeRouteOptions): UpgradeRoute {
  return {
    pattern: '/v1/database/:name/subscribe',
    accept: (request) => decide(options, request, SERVED),
  };
}

/**
 * The same for the Python SDK of 2024, `GET /database/subscribe/:name`. Its query has only `client_address`, which is
 * the connection's id; its token comes as `Authorization: Basic` of `token:<jwt>`.
 */
export function legacySubscribeRoute(options: SubscribeRouteOptions): UpgradeRoute {
  return {
    pattern: '/database/subscribe/:name',
    accept: (request) => {
      const query = new URLSearchParams(request.query);
      const address = query.get('client_address');
      if (address !== null) query.set('connection_id', address);
      const headers = withBearer(request.headers);
      return decide(options, { ...request, headers, query }, [TEXT_SUBPROTOCOL]);
    },
  };
}

async function decide(
  options: SubscribeRouteOptions,
  request: UpgradeRequest,
  served: readonly WireOptions['protocol'][],
): Promise<UpgradeDecision> {
  const found = findDatabase(options.catalog, request.params['name'] ?? '');
  if (found.kind !== 'found') return reject(found.status, found.message);
  const credentials = await authenticate(options.authority, request);
  if (credentials instanceof AuthError) return reject(credentials.httpStatus, credentials.message);
  const headers = {
    'spacetime-identity': credentials.identity.toHexString(),
    'spacetime-identity-token': credentials.token,
  };
  const protocol = served.find((name) => request.offeredProtocols.includes(name));
  if (protocol === undefined) return reject(400, noProtocol(request.offeredProtocols, served), headers);
  const query = readQuery(request.query, protocol, options.random);
  if (typeof query === 'string') return reject(400, query, headers);
  return {
    kind: 'accept',
    protocol,
    headers,
    limits: { messageBytesMax: CLIENT_MESSAGE_BYTES_MAX },
    open: (connection) => openSession(options, found.database, connection, credentials, query),
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

function noProtocol(offered: readonly string[], served: readonly string[]): string {
  const asked = offered.length === 0 ? 'none' : offered.join(', ');
  return `no valid protocol selected: this server speaks ${served.join(', ')}, the client offered ${asked}`;
}

/** What a client asks for by its address. */
interface SubscribeQuery extends WireOptions {
  readonly connectionId: ConnectionId;
  readonly confirmed: boolean;
}

/** The parameters, or what is wrong with them. Unknown ones are left alone, as clients send more than we know. */
function readQuery(
  query: URLSearchParams,
  protocol: WireOptions['protocol'],
  random: Random,
): SubscribeQuery | string {
  const compression = query.get('compression') ?? 'None';
  if (!isCompression(compression)) return 'compression is None, Gzip or Brotli';
  const isV1 = protocol.startsWith('v1.');
  const confirmed = query.get('confirmed') ?? (isV1 ? 'false' : 'true');
  if (confirmed !== 'true' && confirmed !== 'false') return 'confirmed is true or false';
  const connectionId = readConnectionId(query.get('connection_id'), random);
  if (typeof connectionId === 'string') return connectionId;
  const isLight = query.get('light') === 'true';
  return { protocol, compression, isLight, connectionId, confirmed: confirmed === 'true' };
}

function isCompression(text: string): text is AskedCompression {
  return text === 'None' || text === 'Gzip' || text === 'Brotli';
}

/** The id that the client chose, a new one if he did not, or what is wrong with it. */
export function readConnectionId(text: string | null, random: Random): ConnectionId | string {
  if (text === null) return ConnectionId.random(random);
  if (!/^[0-9a-fA-F]{32}$/.test(text)) return 'Invalid connection ID: it has 32 hexadecimal digits.';
  const id = ConnectionId.fromStringOrNull(text);
  return id ?? 'Invalid connection ID: the all-zeros ConnectionId is reserved.';
}

function openSession(
  options: SubscribeRouteOptions,
  database: DatabaseRuntime,
  connection: WebSocketConnection,
  credentials: Credentials,
  { connectionId, ...query }: SubscribeQuery,
): WebSocketHandler {
  const session = new Session({
    ...query,
    database,
    caller: { identity: credentials.identity, connectionId, tokenPayload: credentials.payload },
    token: credentials.token,
    link: new WebSocketLink(connection),
    onError: options.onError,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  if (!session.start()) dropRefused(database, connection, query.confirmed);
  return {
    onMessage: (data, isText) => (isText ? session.receiveText(decodeText(data)) : session.receive(data)),
    onTurnEnd: () => session.endTurn(),
    onClose: () => session.closed(),
  };
}

/**
 * The answer to the handshake still leaves, so that the client sees a connection that ends and not a failed one. That it ends is an
 * answer as well: what the module refused it for has to be on disk.
 */
function dropRefused({ log }: DatabaseRuntime, connection: WebSocketConnection, isConfirmed: boolean): void {
  const drop = (): void => void setImmediate(() => connection.destroy());
  if (isConfirmed) waitUntilDurable(log).then(drop, drop);
  else drop();
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
