import type { IncomingMessage } from 'node:http';

import type { TimerWheel } from '../../../net/timer-wheel.js';
import type { TurnFlusher } from '../../../net/turn-flusher.js';
import type { Packet } from '../messages/packet.js';
import type { HeaderMap } from './cors.js';
import type { EngineSettings } from './options.js';
import type { Session } from './session.js';

export type SessionState = 'opening' | 'open' | 'closing' | 'closed';

/** Why a session ended, in the words of the reference implementations. */
export type CloseReason =
  | 'transport error'
  | 'transport close'
  | 'ping timeout'
  | 'parse error'
  | 'forced close'
  | 'server shutdown';

/** The application's half of a session. What it throws is reported and ends the session. */
export interface SessionHandler {
  /** Octets are good during the call only. */
  onMessage(data: string | Uint8Array): void;
  /** Once, whatever ends the session. */
  onClose(reason: CloseReason, description: string): void;
  /** All messages that came together were delivered. */
  onTurnEnd?(): void;
  /** What was queued has left. */
  onDrain?(): void;
  /** More waits for the client than it should. */
  onOverflow?(): void;
  onUpgrading?(): void;
  onUpgrade?(): void;
  onHeartbeat?(): void;
  /** Every packet that came, before it is acted upon. */
  onPacket?(packet: Packet): void;
}

/** What sessions of one server share. */
export interface SessionHost {
  readonly settings: EngineSettings;
  readonly wheel: TimerWheel;
  readonly turns: TurnFlusher;
  /** The headers that answers to this request carry besides their own. */
  makeHeaders(request: IncomingMessage, isHandshake: boolean, sid?: string): HeaderMap;
  /** The session has ended. */
  forget(session: Session): void;
  onError(error: unknown, where: string): void;
}
