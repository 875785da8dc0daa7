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

/** Ends a session whose router is silent although it was asked: a half-open connection tells nobody that it is. */
export function watchLiveness(
  session: Session,
  clock: Pick<Clock, 'startTimer'>,
  { intervalMs = 30_000, timeoutMs = 10_000 }: LivenessOptions,
): void {
  let timer: Timer;
  let isHeard = false;
  const wait = (isAsked: boolean): void => {
    isHeard = false;
    timer = clock.startTimer(isAsked ? timeoutMs : intervalMs, () => {
      if (isHeard) wait(false);
      else if (isAsked) session.abandon(new TransportError('the router does not answer any more'));
      else {
        ask(session);
        wait(true);
      }
    });
  };
  session.addMessageHandler(() => (isHeard = true));
  void session.waitUntilDone().then(() => timer.cancel());
  wait(false);
}

/** Every router answers, be it with an ERROR. Pages cannot send or see the pings of WebSocket. */
function ask(session: Session): void {
  session.request({
    toMessage: (request) => ({
      type: MessageType.call,
      request,
      options: NO_KWARGS,
      procedure: 'wamp.session.count',
      payload: NO_PAYLOAD,
    }),
    // Takes an id; whatever the answer is.
    sent: () => {},
  });
}
