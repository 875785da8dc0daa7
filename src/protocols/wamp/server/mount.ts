import { once } from 'node:events';
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';

import { Listener } from '../../../net/listener.js';
import type { UpgradeDecision, UpgradeRequest } from '../../../net/websocket/upgrade.js';
import { cborSerializer } from '../messages/cbor.js';
import { jsonSerializer } from '../messages/json.js';
import { msgpackSerializer } from '../messages/msgpack.js';
import { RAW_SOCKET_MAGIC } from '../messages/raw-socket.js';
import { findSubprotocol, type Serializer } from '../messages/serializer.js';
import type { WampRouter } from './router.js';
import { addLongPollRoutes, type LongPollLimits } from './transport/long-poll.js';
import { makeRawSocketHost, type RawSocketLimits, serveRawSocket } from './transport/raw-socket.js';
import { serveWebSocket } from './transport/websocket.js';

export const SERIALIZERS: readonly Serializer[] = [jsonSerializer, msgpackSerializer, cborSerializer];

export interface MountOptions {
  /** Where long-poll is served. Default `/wamp/lp`. */
  readonly longPollBase?: string;
  readonly longPoll?: Partial<LongPollLimits>;
  readonly rawSocket?: Partial<RawSocketLimits>;
}

/**
 * Serves a router on a listener: WebSocket on any path by subprotocol, RawSocket by its first octet, long-poll.
 *
 * @example
 * mountWamp(await Listener.listen({ port: 8080 }), new WampRouter({ realms: { realm1: {} } }));
 */
export function mountWamp(listener: Listener, router: WampRouter, options: MountOptions = {}): void {
  listener.addUpgradeRoute({
    pattern: '/*path',
    accept: (request) => acceptUpgrade(listener, router, request),
  });
  const host = makeRawSocketHost(router, listener.turns, SERIALIZERS, options.rawSocket);
  listener.addRawProtocol(RAW_SOCKET_MAGIC, (socket) => serveRawSocket(host, socket));
  addLongPollRoutes(listener.router, router, SERIALIZERS, options.longPollBase, options.longPoll);
}

/** Serves RawSocket on a Unix socket, for this machine's users that may read and write `path`. */
export async function listenUnix(
  listener: Listener,
  router: WampRouter,
  path: string,
  options: Partial<RawSocketLimits> = {},
): Promise<Server> {
  const host = makeRawSocketHost(router, listener.turns, SERIALIZERS, options);
  const server = createServer({ pauseOnConnect: true }, (socket) => serveRawSocket(host, socket));
  await removeStale(path);
  server.listen(path);
  await once(server, 'listening');
  // Only the server's own user, unless he says otherwise.
  await chmod(path, 0o600);
  return server;
}

/** A process that crashed leaves its socket behind, and nobody answers there. */
async function removeStale(path: string): Promise<void> {
  const socket = connect(path);
  const code = await new Promise<string | undefined>((resolve) => {
    socket
      .once('connect', () => resolve(undefined))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  socket.destroy();
  if (code === 'ECONNREFUSED') await unlink(path);
}

function acceptUpgrade(listener: Listener, router: WampRouter, request: UpgradeRequest): UpgradeDecision {
  for (const protocol of request.offeredProtocols) {
    const found = findSubprotocol(protocol, SERIALIZERS);
    if (found === undefined) continue;
    const { serializer, isBatched } = found;
    const bearer = readBearer(request);
    const info = {
      type: 'websocket',
      serializer: serializer.name,
      peer: request.remoteAddress,
      bearer,
      channelBindings: request.channelBindings,
    } as const;
    // Messages between the two limits are answered, those above end the connection.
    const limits = { messageBytesMax: router.services.limits.messageBytesMax * 2 };
    const turns = isBatched ? listener.turns : undefined;
    return {
      kind: 'accept',
      protocol,
      limits,
      open: (socket) => serveWebSocket(router, socket, serializer, info, turns),
    };
  }
  return { kind: 'pass' };
}

function readBearer({ headers, query }: UpgradeRequest): string | undefined {
  const header = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '');
  return header?.[1] ?? query.get('token') ?? undefined;
}
