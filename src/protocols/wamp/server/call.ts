import type { Registration, Server } from '../../../hub/registration-table.js';
import type { WheelTask } from '../../../net/timer-wheel.js';
import type { Dict } from '../messages/message.js';
import type { Payload } from '../messages/payload.js';
import type { Authorization } from './options.js';
import type { Session } from './session.js';

/** A call from CALL to its final answer. It waits on the timer wheel for its own timeout. */
export class CallInFlight implements WheelTask {
  wheelDueMs = Infinity;
  readonly request: number;
  readonly caller: Session;
  readonly procedure: string;
  readonly registration: Registration<Session>;
  /** Of the first CALL: later chunks do not change them. */
  readonly options: Dict;
  /** What the authorizer said: it holds for every callee that is asked. */
  readonly authorization: Authorization;
  /** Kept for another callee, as long as there may be one. */
  payload: Payload | undefined;
  /** What is kept of it, in octets; counted in `callBytes` of the caller until it has its answer. */
  keptBytes = 0;
  callee: Session;
  server: Server<Session>;
  invocation = 0;
  /** Milliseconds without an answer; 0: for ever. */
  timeoutMs = 0;
  /** The caller may send more chunks. */
  isOpenEnded = false;
  /** Has its answer: chunks and answers that come now are late. */
  isDone = false;
  /** INTERRUPT with mode kill was sent: the callee's answer is awaited. */
  isKilled = false;
  /** Those that said they are unavailable. */
  tried: Set<Session> | undefined;
  readonly #onTimeout: (call: CallInFlight) => void;

  constructor(
    caller: Session,
    request: number,
    procedure: string,
    registration: Registration<Session>,
    server: Server<Session>,
    options: Dict,
    authorization: Authorization,
    onTimeout: (call: CallInFlight) => void,
  ) {
    this.caller = caller;
    this.request = request;
    this.procedure = procedure;
    this.registration = registration;
    this.server = server;
    this.callee = server.member;
    this.options = options;
    this.authorization = authorization;
    this.#onTimeout = onTimeout;
  }

  onWheelDue(): void {
    this.#onTimeout(this);
  }
}
