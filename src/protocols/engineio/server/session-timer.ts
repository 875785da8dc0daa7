import type { WheelTask } from '../../../net/timer-wheel.js';
import type { ProtocolVersion } from '../messages/packet.js';
import type { SessionHost } from './session-host.js';

/** The session, as its timer sees it. */
export interface TimedSession {
  readonly protocol: ProtocolVersion;
  sendPing(): void;
  onPingTimeout(): void;
  /** The client has not fetched what was left for it when the session was closed. */
  onCloseTimeout(): void;
}

/**
 * What a session does on the clock. In protocol 4 the server pings and wants to hear something until the ping times out; in protocol 3
 * the client pings. A session that closes waits for its client to fetch the rest.
 */
export class SessionTimer implements WheelTask {
  wheelDueMs = Infinity;
  /** Set by whatever comes from the client. */
  isHeard = false;
  readonly #session: TimedSession;
  readonly #host: SessionHost;
  #isPinged = false;
  #isClosing = false;

  constructor(session: TimedSession, host: SessionHost) {
    this.#session = session;
    this.#host = host;
  }

  /** Until the next ping: the server's or, in protocol 3, the client's. */
  start(): void {
    const { pingIntervalMs, pingTimeoutMs } = this.#host.settings;
    this.#isPinged = false;
    this.#wait(this.#session.protocol === 4 ? pingIntervalMs : pingIntervalMs + pingTimeoutMs);
  }

  /** Whether the pong was asked for. */
  acceptPong(): boolean {
    if (!this.#isPinged) return false;
    this.start();
    return true;
  }

  startClosing(): void {
    this.#isClosing = true;
    this.#wait(this.#host.settings.closeTimeoutMs);
  }

  stop(): void {
    this.#host.wheel.cancel(this);
  }

  onWheelDue(): void {
    if (this.#isClosing) this.#session.onCloseTimeout();
    else if (this.#session.protocol === 4 && !this.#isPinged) this.#ping();
    // Whoever talks is alive; only his pong is late.
    else if (this.#isPinged && this.isHeard) this.start();
    else this.#session.onPingTimeout();
  }

  #ping(): void {
    this.#isPinged = true;
    this.isHeard = false;
    this.#wait(this.#host.settings.pingTimeoutMs);
    this.#session.sendPing();
  }

  #wait(ms: number): void {
    this.#host.wheel.schedule(this, ms);
  }
}
