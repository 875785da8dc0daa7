import type { Deferred } from './async-queue.js';
import { isSessionLoss } from './errors.js';
import type { ErrorMessage, Message, RouterMessage } from './message.js';
import type { Session } from './session.js';

/** Something that leaves at the end of the running task, with all else that was asked for in it. */
export interface Sending {
  /**
   * The message, `undefined` if nobody wants it any more. `requestId` is the session's next one; it is taken only if there is `sent`
   * and the message could be encoded, so that ids on the wire have no gaps.
   */
  toMessage(requestId: number): Message | undefined;
  /** It has left, with an id of its own. Who waits for an answer puts himself among the `pending` of the session. */
  sent?: ((requestId: number, session: Session) => void) | undefined;
  /** It could not be sent: its values have no form in the serializer, it is too long, or the session is over. */
  failed?: ((error: Error) => void) | undefined;
}

/** An answer that says yes. */
export type Answer = Exclude<RouterMessage, ErrorMessage>;

/** Something that is answered. */
export interface Request {
  /** The type of the answer that says yes. Another one ends the session. */
  readonly expects: Answer['type'];
  /** Called inside the receiving of the answer: what follows it finds everything in place. */
  answered(answer: Answer): void;
  /** The router said no, or the session is over. */
  failed(error: Error): void;
}

/** The client's state tells that the session is lost, too: an answer that nobody waits for must not end the process. */
export function rejectAnswer(
  { promise, reject }: Pick<Deferred<unknown>, 'promise' | 'reject'>,
  error: unknown,
): void {
  if (isSessionLoss(error)) promise.catch(() => {});
  reject(error);
}
