import type { Listener } from '../../net/listener.js';
import type { WebSocketConnection, WebSocketHandler } from '../../net/websocket/connection.js';
import type { UpgradeAnswer } from '../../net/websocket/upgrade.js';
import type {
  EngineApplication,
  HandshakeRequest,
  HandshakeVerdict,
} from '../../protocols/engineio/server/engine.js';
import { refuse, RefusalCode, refuseWith } from '../../protocols/engineio/server/refusal.js';
import { queryString } from '../../protocols/engineio/server/request-query.js';
import type { SessionHandler } from '../../protocols/engineio/server/session-host.js';
import type { Session } from '../../protocols/engineio/server/session.js';

/* Any protocol of this server inside an Engine.IO session: one message of the session is one message of the protocol's WebSocket. */

type AcceptedUpgrade = Extract<UpgradeAnswer, { kind: 'accept' }>;

/** `?protocol=` names the WebSocket subprotocols that the client offers, `?path=` what would be its WebSocket's path. */
export function tunnelApplication(listener: Listener): EngineApplication {
  return {
    authorize: (request) => decide(listener, request),
    open: (session, _request, context) => openTunnel(session, context as AcceptedUpgrade),
  };
}

async function decide(listener: Listener, { message }: HandshakeRequest): Promise<HandshakeVerdict> {
  const query = queryString(message);
  const protocols = query.get('protocol');
  if (protocols === null) {
    return refuse(RefusalCode.badRequest, { name: 'NO_PROTOCOL' }, 'say what to speak inside: ?protocol=');
  }
  const target = query.get('path') ?? '/';
  const mark = target.indexOf('?');
  const answer = await listener.decideUpgrade({
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: message.headers,
    offeredProtocols: protocols.split(',').filter((name) => name !== ''),
    remoteAddress: message.socket.remoteAddress ?? '',
  });
  if (answer.kind === 'reject') return refuseWith(answer.status, answer.body ?? '');
  return { kind: 'accept', context: answer, protocol: answer.protocol ?? '' };
}

/** A session that looks like a WebSocket to the protocol that is spoken inside. */
class TunnelConnection implements WebSocketConnection {
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly #session: Session;

  constructor(session: Session, protocol: string) {
    this.#session = session;
    this.protocol = protocol;
    this.remoteAddress = session.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#session.bufferedBytes;
  }

  get isOpen(): boolean {
    return this.#session.state === 'open';
  }

  sendBinary(...parts: Uint8Array[]): void {
    // Over polling it may wait for the client, who asks when he likes; the parts may be used again by then.
    this.#session.send(Buffer.concat(parts));
  }

  sendText(text: string): void {
    this.#session.send(text);
  }

  sendFrame(frame: Uint8Array): void {
    const payload = payloadOf(frame);
    if ((frame[0]! & 0x0f) === 1) this.#session.send(Buffer.from(payload).toString('utf8'));
    else this.#session.send(payload);
  }

  /** Engine.IO has no close codes: whoever wants to say why says it in a message of his own. */
  close(): void {
    this.#session.close();
  }

  destroy(): void {
    this.#session.terminate('forced close');
  }
}

/** What is inside an unmasked frame of `encodeFrame`. */
function payloadOf(frame: Uint8Array): Uint8Array {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

/** Lets the protocol that has accepted the handshake speak over the session. */
function openTunnel(session: Session, answer: AcceptedUpgrade): SessionHandler {
  const handler: WebSocketHandler = answer.open(new TunnelConnection(session, answer.protocol ?? ''));
  return {
    onMessage(data) {
      if (typeof data === 'string') handler.onMessage(Buffer.from(data), true);
      else handler.onMessage(data, false);
    },
    onTurnEnd: () => handler.onTurnEnd?.(),
    onOverflow: () => handler.onOverflow?.(),
    onDrain: () => handler.onDrain?.(),
    onClose: (reason) =>
      handler.onClose(reason === 'transport close' || reason === 'forced close' ? 1000 : 1006, reason),
  };
}
