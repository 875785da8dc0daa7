import type { Clock, Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import { TransportError } from './errors.js';
import { NO_KWARGS, NO_PAYLOAD } from './payload.js';
import type { Session } from './session.js';

export interface LivenessOptions {
  /** A router that was not heard for so long is asked something. 30,000 unless given. */
  readonly intervalMs?: number;
  /** One that does not answer in that time is gone. 10,000 unless given. */
  readonly timeoutMs?: number;
}

/** Every router answers, be it with an ERROR. Pages cannot send or see the pings of WebSocket. */
const QUESTION = 'wamp.session.count';

/** Ends a session whose router is silent although it was asked: a half-open connection tells nobody that it is. */
export function watchLiveness(session: Session, clock: Clock, options: LivenessOptions): Timer {
  const { intervalMs = 30_000, timeoutMs = 10_000 } = options;
  let timer: Timer;
  let isHeard: boolean;
  const wait = (ms: number, onSilence: () => void): void => {
    isHeard = false;
    timer = clock.startTimer(ms, () => (isHeard ? wait(intervalMs, ask) : onSilence()));
  };
  const ask = (): void => {
    session.request({
      toMessage: (request) => ({
        type: MessageType.call,
        request,
        options: NO_KWARGS,
        procedure: QUESTION,
        payload: NO_PAYLOAD,
      }),
      sent: () => {},
    });
    wait(timeoutMs, () => session.abandon(new TransportError('the router does not answer any more')));
  };
  session.addMessageHandler(() => (isHeard = true));
  wait(intervalMs, ask);
  return { cancel: () => timer.cancel() };
}
