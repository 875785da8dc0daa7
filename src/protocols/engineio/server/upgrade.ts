import type { WheelTask } from '../../../net/timer-wheel.js';
import { CloseCode } from '../../../net/websocket/close-code.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import type { SessionHost } from './session-host.js';
import type { Session } from './session.js';

/*
 * An upgrade, on the new WebSocket and beside it:
 *
 *   client                    server
 *   2probe        ------->
 *                 <-------    3probe; the GET that waits is answered with noop
 *   5             ------->    from here on the WebSocket is the transport, polling is refused
 */

type Stage = 'silent' | 'probed' | 'complete' | 'abandoned';

// The GET that waits when the probe comes, and the one that crosses the answer on the wire, are answered at once.
const FREE_POLLS = 2;
// Whoever goes on polling then is slowed down to that.
const HOLD_MS = 100;

/** Handles a WebSocket that names an existing session; becomes a mere pipe once the upgrade is complete. */
export class Upgrade implements WebSocketHandler, WheelTask {
  wheelDueMs = Infinity;
  readonly #session: Session;
  readonly #socket: WebSocketConnection;
  readonly #host: SessionHost;
  readonly #deadlineMs: number;
  #stage: Stage = 'silent';
  #polls = 0;

  constructor(session: Session, socket: WebSocketConnection, host: SessionHost, isPossible: boolean) {
    this.#session = session;
    this.#socket = socket;
    this.#host = host;
    this.#deadlineMs = host.wheel.nowMs + host.settings.upgradeTimeoutMs;
    if (isPossible) host.wheel.schedule(this, host.settings.upgradeTimeoutMs);
    else {
      this.#stage = 'abandoned';
      socket.close(CloseCode.normal);
    }
  }

  /** Whether polls may wait as usual. */
  get wantsPolls(): boolean {
    return this.#stage === 'silent';
  }

  /** Decides on a poll after the probe. */
  holdPoll(): 'answer' | 'hold' {
    if (++this.#polls < FREE_POLLS) return 'answer';
    this.#host.wheel.schedule(
      this,
      Math.min(HOLD_MS, Math.max(0, this.#deadlineMs - this.#host.wheel.nowMs)),
    );
    return 'hold';
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    if (this.#stage === 'complete') return this.#session.onMessage(data, isText);
    if (this.#stage === 'abandoned') return;
    const text = isText && data.length < 8 ? new TextDecoder().decode(data) : '';
    if (text === '2probe' && this.#stage === 'silent') {
      this.#stage = 'probed';
      this.#socket.sendText('3probe');
      this.#session.beginUpgrade();
    } else if (text === '5' && this.#stage === 'probed') {
      this.#stage = 'complete';
      this.#host.wheel.cancel(this);
      this.#session.completeUpgrade(this.#socket);
    } else this.abandon();
  }

  onTurnEnd(): void {
    if (this.#stage === 'complete') this.#session.onTurnEnd();
  }

  onOverflow(): void {
    if (this.#stage === 'complete') this.#session.onOverflow();
  }

  onDrain(): void {
    if (this.#stage === 'complete') this.#session.onDrain();
  }

  onClose(code: number, reason: string): void {
    if (this.#stage === 'complete') this.#session.onClose(code, reason);
    else this.#end();
  }

  onWheelDue(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) return this.abandon();
    this.#host.wheel.schedule(this, this.#deadlineMs - nowMs);
    this.#session.releasePoll();
  }

  /** Gives the WebSocket up; polling goes on as if nothing had been. */
  abandon(): void {
    if (this.#stage === 'complete' || this.#stage === 'abandoned') return;
    this.#socket.close(CloseCode.normal);
    this.#end();
  }

  #end(): void {
    if (this.#stage === 'abandoned') return;
    this.#stage = 'abandoned';
    this.#host.wheel.cancel(this);
    this.#session.endUpgrade();
  }
}
