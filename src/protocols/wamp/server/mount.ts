import type { Listener } from '../../../net/listener.js';
import type { UpgradeDecision, UpgradeRequest } from '../../../net/websocket/upgrade.js';
import { cborSerializer } from '../messages/cbor.js';
import { jsonSerializer } from '../messages/json.js';
import { msgpackSerializer } from '../messages/msgpack.js';
import { findSubprotocol, type Serializer } from '../messages/serializer.js';
import type { WampRouter } from './router.js';
import { serveWebSocket } from './transport/websocket.js';

export const SERIALIZERS: readonly Serializer[] = [jsonSerializer, msgpackSerializer, cborSerializer];

/** Serves a router on a listener: WebSocket on any path, by subprotocol. */
export function mountWamp(listener: Listener, router: WampRouter): void {
  listener.addUpgradeRoute({
    pattern: '/*path',
    accept: (request) => acceptUpgrade(listener, router, request),
  });
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
    } as const;
    const limits = { messageBytesMax: router.services.limits.messageBytesMax * 2 };
    return {
      kind: 'accept',
      protocol,
      limits,
      open: (socket) =>
        serveWebSocket(router, socket, serializer, info, isBatched ? listener.turns : undefined),
    };
  }
  return { kind: 'pass' };
}

function readBearer({ headers, query }: UpgradeRequest): string | undefined {
  const header = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '');
  return header?.[1] ?? query.get('token') ?? undefined;
}
