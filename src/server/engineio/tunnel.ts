import type { WebSocketConnection, WebSocketHandler } from '../../net/websocket/connection.js';
import type { UpgradeAnswer } from '../../net/websocket/upgrade.js';
import type { SessionHandler } from '../../protocols/engineio/server/session-host.js';
import type { Session } from '../../protocols/engineio/server/session.js';

/* Any protocol of this server inside an Engine.IO session: one message of the session is one message of the protocol's WebSocket. */

export type AcceptedUpgrade = Extract<UpgradeAnswer, { kind: 'accept' }>;

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
export function openTunnel(session: Session, answer: AcceptedUpgrade): SessionHandler {
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
