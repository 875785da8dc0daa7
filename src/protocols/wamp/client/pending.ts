import type { ErrorMessage, Message, RouterMessage } from './message.js';
import { messageName } from './message.js';
import type { ErrorMap } from './error-map.js';
import { UnexpectedMessageError } from './errors.js';
import { errorOf } from './outbox.js';
import type { Request } from './outbox.js';

/** An answer that says yes. */
export type Answer = Exclude<RouterMessage, ErrorMessage>;

export interface PendingInit {
  readonly toMessage: (requestId: number) => Message;
  /** The type of the answer that says yes. Another one ends the session. */
  readonly expects: Answer['type'];
  /** Called inside the receiving of the answer: what follows it finds everything in place. */
  readonly answered: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
}

/** Requests that wait for one answer: all but calls. */
export class PendingRequests {
  readonly #errors: ErrorMap;
  readonly #pending = new Map<number, PendingInit>();

  constructor(errors: ErrorMap) {
    this.#errors = errors;
  }

  make(init: PendingInit): Request {
    return {
      toMessage: init.toMessage,
      sent: (id) => void this.#pending.set(id, init),
      refused: init.failed,
    };
  }

  answered(requestId: number, answer: Answer): void {
    const expects = this.#pending.get(requestId)?.expects;
    if (expects !== undefined && expects !== answer.type) {
      throw new UnexpectedMessageError(messageName(answer.type), messageName(expects));
    }
    this.#take(requestId)?.answered(answer);
  }

  failed(message: ErrorMessage): void {
    this.#take(message.request)?.failed(this.#errors.errorToException(errorOf(message)));
  }

  failAll(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { failed } of pending) failed(error);
  }

  #take(requestId: number): PendingInit | undefined {
    const init = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    return init;
  }
}
