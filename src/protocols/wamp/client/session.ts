import * as MessageType from '../messages/message-type.js';
import { isRouterMessage, messageName } from './message.js';
import type { Goodbye, Message, RouterMessage } from './message.js';
import * as Uris from '../messages/uris.js';
import { withResolvers } from './async-queue.js';
import { AbortError, BaseError, InvalidMessage, TransportError, UnexpectedMessageError } from './errors.js';
import { IdGenerator } from './id-generator.js';
import { Outbox } from './outbox.js';
import type { Request } from './outbox.js';
import { NO_KWARGS, NO_PAYLOAD, dictIn, isDict } from './payload.js';
import type { Dict } from './payload.js';
import type { Frame, Transport, TransportEvents } from './transport/transport.js';

/*
 *             GOODBYE received          close()                  transport closed, ABORT, bad message
 *   open      answer, -> over           GOODBYE, -> closing      -> over
 *   closing   -> over                   waits, too               -> over
 *   over      -                         nothing                  -
 */
type State = 'open' | 'closing' | 'over';

export type MessageHandler = (message: RouterMessage) => void;

export interface SessionFacts {
  readonly sessionId: number;
  readonly realm: string;
  /** Of WELCOME. */
  readonly details: Dict;
}

/** How a session ended. */
export interface SessionEnd {
  /** A URI if one of the two said why, a text for people otherwise. */
  readonly reason: string;
  /** Absent if it was closed in order. */
  readonly error?: BaseError | undefined;
  /** Whether we asked for it. */
  readonly isOurs: boolean;
}

/** What has joined a realm: sends messages, hands received ones to handlers, in order, and says good-bye. */
export class Session implements TransportEvents {
  readonly sessionId: number;
  readonly realm: string;
  readonly details: Dict;
  readonly idGenerator = new IdGenerator();
  /** GOODBYE, once one has come. */
  goodbye: Goodbye | undefined;

  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #done = withResolvers<SessionEnd>();
  #handlers: readonly MessageHandler[] = [];
  #state: State = 'open';

  constructor(transport: Transport, facts: SessionFacts) {
    this.sessionId = facts.sessionId;
    this.realm = facts.realm;
    this.details = facts.details;
    this.#transport = transport;
    this.#outbox = new Outbox(transport, this.idGenerator);
    transport.attach(this);
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** What the router said of itself. */
  get roles(): Dict {
    return dictIn(this.details, 'roles');
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  hasRole(role: string): boolean {
    return isDict(this.roles[role]);
  }

  /** Features that the router announced for a role. */
  getFeatures(role: string): Dict {
    return dictIn(dictIn(this.roles, role), 'features');
  }

  hasFeature(role: string, feature: string): boolean {
    return this.getFeatures(role)[feature] === true;
  }

  /** Sends what needs no request id of ours. `refused` is told if it cannot be sent. */
  send(message: Message, refused?: (error: Error) => void): void {
    this.#outbox.add({ message, refused });
  }

  /** Sends a request; its id is known when it has left, at the end of the running task. */
  request(request: Request): void {
    this.#outbox.add(request);
  }

  addMessageHandler(handler: MessageHandler): void {
    this.#handlers = [...this.#handlers, handler];
  }

  /** Removes one handler, or all. */
  removeMessageHandler(handler?: MessageHandler): void {
    this.#handlers = handler === undefined ? [] : this.#handlers.filter((other) => other !== handler);
  }

  /** Says good-bye, waits for the answer and closes the transport. */
  async close(details: Dict = NO_KWARGS, reason: string = Uris.closeNormal): Promise<void> {
    if (this.#state === 'open') {
      this.send({ type: MessageType.goodbye, details, reason });
      this.#outbox.flush();
      this.#state = 'closing';
    }
    await this.#done.promise;
  }

  /** Drops the connection without a word. */
  abandon(error: BaseError): void {
    this.#end({ reason: error.message, error, isOurs: this.#state === 'closing' });
  }

  /** Resolves when the session is over, however that came. */
  async waitUntilDone(): Promise<SessionEnd> {
    return await this.#done.promise;
  }

  onFrame(frame: Frame): void {
    if (this.#state === 'over') return;
    let message: Message;
    try {
      message = this.#transport.serializer.decode(frame);
    } catch (error) {
      this.#violated(new InvalidMessage('the router sent something that is no message', error));
      return;
    }
    this.#receive(message);
  }

  onClose(reason: string, cause?: unknown): void {
    const isOurs = this.#state === 'closing';
    this.#end({ reason, isOurs, error: isOurs ? undefined : new TransportError(reason, cause) });
  }

  #receive(message: Message): void {
    switch (message.type) {
      case MessageType.goodbye:
        this.#receivedGoodbye(message);
        return;
      case MessageType.abort:
        this.#end({
          reason: message.reason,
          error: new AbortError(message.reason, message.details),
          isOurs: false,
        });
        return;
      case MessageType.welcome:
      case MessageType.challenge:
        this.#violated(new UnexpectedMessageError(messageName(message.type), 'a message of an open session'));
        return;
      default:
        if (!isRouterMessage(message)) {
          this.#violated(
            new UnexpectedMessageError(messageName(message.type), 'a message that routers send'),
          );
        } else if (this.#state === 'open') this.#hand(message);
    }
  }

  #hand(message: RouterMessage): void {
    try {
      for (const handler of this.#handlers) handler(message);
    } catch (error) {
      // Payloads are decoded when somebody looks at them; and a message may be for nobody who is there.
      const known =
        error instanceof BaseError ? error : new InvalidMessage('a payload cannot be read', error);
      this.#violated(known);
    }
  }

  #receivedGoodbye(message: Goodbye): void {
    this.goodbye = message;
    const isOurs = this.#state === 'closing';
    if (!isOurs) this.send({ type: MessageType.goodbye, details: NO_KWARGS, reason: Uris.goodbyeAndOut });
    this.#end({ reason: message.reason, isOurs });
  }

  #violated(error: BaseError): void {
    this.send({
      type: MessageType.abort,
      details: { message: error.message },
      reason: Uris.protocolViolation,
      payload: NO_PAYLOAD,
    });
    this.#end({ reason: Uris.protocolViolation, error, isOurs: false });
  }

  #end(end: SessionEnd): void {
    if (this.#state === 'over') return;
    this.#outbox.flush();
    this.#state = 'over';
    this.#outbox.close();
    this.#transport.close();
    this.#done.resolve(end);
  }
}
