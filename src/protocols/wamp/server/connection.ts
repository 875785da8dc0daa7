import type { WheelTask } from '../../../net/timer-wheel.js';
import { type Message, messageName, MessageType } from '../messages/message.js';
import type { MessageError } from '../messages/message-error.js';
import { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import { AnnouncedFeatures, ROUTER_ROLES } from './features.js';
import { Joining, type JoinOutcome } from './joining.js';
import type { Output, TransportInfo } from './output.js';
import type { Realm } from './realm.js';
import { answerFault, carryOut } from './requests.js';
import type { WampRouter } from './router.js';
import { Session } from './session.js';

/*
 * State x message. Everything that is not in the table is a protocol violation: ABORT, and the transport ends.
 *
 *   state     HELLO       AUTHENTICATE   ABORT   GOODBYE            requests
 *   waiting   -> joining                 end
 *   joining               (challenged)   end
 *   joined                               end     answer -> waiting  carried out
 *   leaving                              end     end                ignored: they crossed our GOODBYE
 *   ended     ignored     ignored        ...
 */
type State = 'waiting' | 'joining' | 'joined' | 'leaving' | 'ended';

/** The router's end of one transport: messages in, messages out. Knows no sockets. */
export class Connection implements WheelTask {
  wheelDueMs = Infinity;
  readonly #router: WampRouter;
  readonly #output: Output;
  readonly #transport: TransportInfo;
  #state: State = 'waiting';
  #joining: Joining | undefined;
  #realm: Realm | undefined;
  #session: Session | undefined;
  /** Messages behind one whose authorization takes its time; undefined when there is none. */
  #waiting: { readonly message: Message; readonly bytes: number }[] | undefined;
  #waitingBytes = 0;

  constructor(router: WampRouter, output: Output, transport: TransportInfo) {
    this.#router = router;
    this.#output = output;
    this.#transport = transport;
    this.#wait(router.services.limits.joinMs);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** The next message, of so many octets. Answers go to the output. */
  receive(message: Message, bytes = 0): void {
    if (this.#waiting === undefined) return this.#handle(message, bytes);
    const { waitingMessages, waitingBytes } = this.#router.services.limits;
    this.#waitingBytes += bytes;
    if (this.#waiting.length >= waitingMessages || this.#waitingBytes > waitingBytes) {
      return this.#abort(Uris.protocolViolation, 'too many messages while an authorization is pending');
    }
    this.#waiting.push({ message, bytes });
  }

  /** What came is no message. */
  receiveGarbage(error: MessageError): void {
    if (this.#state !== 'leaving') this.#abort(Uris.protocolViolation, error.message);
  }

  /** The transport is gone. */
  lose(): void {
    this.#end();
  }

  /** Says goodbye and waits a moment for the answer. Without a session the transport just ends. */
  close(reason: string, message?: string): void {
    this.#leave(reason, message, false);
  }

  onWheelDue(): void {
    if (this.#state === 'leaving') this.#finish();
    else if (this.#state !== 'joined')
      this.#abort(Uris.authenticationFailed, 'the session was not joined in time');
  }

  #handle(message: Message, bytes: number): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'joined') return this.#handleRequest(message, bytes);
    if (this.#state === 'leaving') {
      if (message.type === MessageType.goodbye || message.type === MessageType.abort) this.#finish();
      return;
    }
    if (message.type === MessageType.abort) return this.#finish();
    if (this.#state === 'waiting' && message.type === MessageType.hello) {
      this.#state = 'joining';
      const onEnd = (outcome: JoinOutcome): void => this.#onJoined(outcome);
      this.#joining = new Joining(this.#router, this.#output, this.#transport, onEnd);
      return this.#joining.greet(message);
    }
    const isAwaited =
      message.type === MessageType.authenticate && this.#joining?.authenticate(message) === true;
    if (!isAwaited) this.#abort(Uris.protocolViolation, `${messageName(message.type)} is not expected now`);
  }

  #handleRequest(message: Message, bytes: number): void {
    if (message.type === MessageType.goodbye) return this.#answerGoodbye();
    if (message.type === MessageType.abort) return this.#finish();
    let pending: void | Promise<void>;
    try {
      pending = carryOut(this.#realm!, this.#session!, message, bytes);
    } catch (error) {
      return this.#answerFault(message, error);
    }
    if (pending !== undefined) this.#waitFor(message, pending);
  }

  #answerFault(message: Message, error: unknown): void {
    const violation = answerFault(this.#realm!, this.#session!, message, error);
    if (violation !== undefined) this.#abort(Uris.protocolViolation, violation);
  }

  #waitFor(message: Message, pending: Promise<void>): void {
    this.#waiting = [];
    void pending
      .catch((error: unknown) => {
        if (this.#state === 'joined') this.#answerFault(message, error);
      })
      .then(() => this.#resume());
  }

  /** Carries on with what came meanwhile. */
  #resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (let at = 0; at < waiting.length; at++) {
      const { message, bytes } = waiting[at]!;
      this.#waitingBytes -= bytes;
      this.#handle(message, bytes);
      if (this.#waiting !== undefined) {
        (this.#waiting as typeof waiting).push(...waiting.slice(at + 1));
        return;
      }
    }
  }

  #onJoined(outcome: JoinOutcome): void {
    this.#joining = undefined;
    if (outcome.kind === 'refused') return this.#abort(outcome.reason, outcome.text);
    const { realm, session: id, method: authmethod, principal, roles } = outcome;
    const { authid, authrole, authprovider = 'dynamic', authextra = {}, context } = principal;
    const who = { realm: realm.name, authid, authrole, authmethod, authprovider };
    const info = { ...who, session: id, authextra, context };
    const kick = (reason: string, text?: string, isQuiet = false): void => this.#leave(reason, text, isQuiet);
    const { services } = this.#router;
    const features = new AnnouncedFeatures(roles);
    const session = new Session(services, info, features, this.#transport, this.#output, kick);
    this.#realm = realm;
    this.#session = session;
    this.#state = 'joined';
    services.wheel.cancel(this);
    const details = {
      roles: ROUTER_ROLES,
      ...who,
      ...(Object.keys(authextra).length === 0 ? {} : { authextra }),
      x_message_bytes_max: services.limits.messageBytesMax,
    };
    this.#output.send({ type: MessageType.welcome, session: id, details });
    realm.join(session);
  }

  #answerGoodbye(): void {
    this.#depart();
    this.#output.send({ type: MessageType.goodbye, details: {}, reason: Uris.goodbyeAndOut });
    // The transport may be used for another session.
    this.#state = 'waiting';
    this.#wait(this.#router.services.limits.joinMs);
  }

  #leave(reason: string, message: string | undefined, isQuiet: boolean): void {
    if (this.#state !== 'joined') return this.#finish();
    this.#depart(isQuiet);
    const details = message === undefined ? {} : { message };
    this.#output.send({ type: MessageType.goodbye, details, reason });
    this.#state = 'leaving';
    this.#wait(this.#router.services.limits.goodbyeMs);
  }

  #abort(reason: string, message: string): void {
    if (this.#state === 'ended') return;
    this.#depart();
    this.#output.send({ type: MessageType.abort, details: { message }, reason, payload: Payload.empty });
    this.#finish();
  }

  #depart(isQuiet = false): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#realm?.leave(session, isQuiet);
  }

  /** Lets go of the transport. */
  #finish(): void {
    if (this.#state === 'ended') return;
    this.#end();
    this.#output.end();
  }

  #end(): void {
    this.#state = 'ended';
    this.#joining?.abandon();
    this.#joining = undefined;
    this.#router.services.wheel.cancel(this);
    this.#router.forget(this);
    this.#depart();
  }

  #wait(ms: number): void {
    this.#router.services.wheel.schedule(this, ms);
  }
}
