import { memoryTransport } from 'chorale/client';
import type { OpenTransport } from 'chorale/client';
import { systemRandom } from '../../../src/base/random.js';
import { loadModule } from '../../../src/module/load-module.js';
import { SUBPROTOCOLS } from '../../../src/protocols/spacetimedb/messages/frame.js';
import { Session } from '../../../src/protocols/spacetimedb/server/session.js';
import { createServer } from '../../../src/server/create-server.js';
import type { ChoraleServer } from '../../../src/server/create-server.js';
import { ConnectionId, Identity } from '../../../src/values/identity.js';
import * as probe from './module.js';

export const PROBE_DATABASE = 'probe';

/** A server with the probe's database; what goes wrong in it goes to `errors`. */
export async function startProbeServer(errors: unknown[]): Promise<ChoraleServer> {
  return createServer({
    databases: { [PROBE_DATABASE]: loadModule(probe) },
    onError: (error) => void errors.push(error),
  });
}

/** Connects to a server's database without a socket. */
export function memoryTransportTo(
  server: ChoraleServer,
  protocol: (typeof SUBPROTOCOLS)[number],
): OpenTransport {
  const tokens = new MemoryTokens();
  return memoryTransport((request, peer) => {
    const identity = tokens.identityOf(request.token);
    if (identity === undefined) return { kind: 'reject', reason: 'the token was not made here' };
    const connectionId = ConnectionId.fromString(request.url.searchParams.get('connection_id')!);
    let isOpen = true;
    const session = new Session({
      protocol,
      database: server.database(PROBE_DATABASE)!,
      caller: { identity, connectionId, tokenPayload: undefined },
      token: tokens.tokenOf(identity),
      confirmed: request.url.searchParams.get('confirmed') !== 'false',
      link: {
        get isOpen() {
          return isOpen;
        },
        send: (...parts) => peer.send(Buffer.concat(parts)),
        sendText: () => peer.close(1011, 'v2 and v3 send no text'),
        close: (code, reason) => peer.close(code, reason),
      },
      onError: (error) => {
        throw error;
      },
    });
    queueMicrotask(() => {
      if (!session.start()) peer.close(1006, 'the module refused');
    });
    return {
      kind: 'accept',
      protocol,
      handler: {
        onMessage: (frame) => {
          session.receive(frame);
          session.endTurn();
        },
        onClose: () => {
          isOpen = false;
          session.closed();
        },
      },
    };
  });
}

/** Tokens without cryptography: the identity's text. */
class MemoryTokens {
  identityOf(token: string | undefined): Identity | undefined {
    if (token === undefined) {
      const bytes = systemRandom.fill(new Uint8Array(32));
      bytes.set([0x00, 0xc2], 30);
      return Identity.fromBytes(bytes);
    }
    return /^[0-9a-f]{64}$/.test(token) ? Identity.fromString(token) : undefined;
  }

  tokenOf(identity: Identity): string {
    return identity.toHexString();
  }
}
