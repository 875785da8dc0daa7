import * as MessageType from '../messages/message-type.js';
import type { Challenge, Goodbye, Message, RouterMessage, Welcome, ProtocolUri } from './message.js';
import type { KeyringExchange } from './auth/keyring.js';
import { withResolvers } from './async-queue.js';
import {
  AbortError,
  AuthError,
  BaseError,
  InvalidMessage,
  TransportError,
  UnexpectedMessageError,
  WampError,
} from './errors.js';
import { IdGenerator } from './id-generator.js';
import { NO_KWARGS, NO_PAYLOAD, dictIn, isDict, textIn } from './payload.js';
import type { Dict } from './payload.js';
import type { Request, Sending } from './request.js';
import type { Frame, Transport, TransportEvents } from './transport/transport.js';

/*
 *              WELCOME      GOODBYE            close()                transport closed, ABORT, bad message, abandon()
 *   joining    -> open      a bad message      -                      -> over
 *   open       a bad one    answer, -> over    GOODBYE, -> closing    -> over
 *   closing    a bad one    -> over            waits, too             -> over
 *   over       -            -                  nothing                -
 */
type State = 'joining' | 'open' | 'closing' | 'over';

/** What routers send in an open session, but ABORT. */
const HEARD: ReadonlySet<number> = new Set([
  MessageType.goodbye,
  MessageType.error,
  MessageType.published,
  MessageType.subscribed,
  MessageType.unsubscribed,
  MessageType.event,
  MessageType.result,
  MessageType.registered,
  MessageType.unregistered,
  MessageType.invocation,
  MessageType.interrupt,
]);

export type MessageHandler = (message: RouterMessage) => void;

/** How a session ended. */
export interface SessionEnd {
  /** A URI if one of the two said why, a text for people otherwise. */
  readonly reason: string;
  /** Absent if it was closed in order. */
  readonly error?: BaseError | undefined;
  /** Whether we asked for it. */
  readonly isOurs: boolean;
}

/** What joins a realm: proves who we are, sends messages, hands received ones to handlers, in order, and says good-bye. */
export class Session implements TransportEvents {
  readonly transport: Transport;
  readonly realm: string;
  readonly sessionId: number = 0;
  /** Of WELCOME. */
  readonly details: Dict = NO_KWARGS;
  readonly idGenerator = new IdGenerator();
  /** GOODBYE, once one has come. */
  goodbye: Goodbye | undefined;
  /** What waits for an answer, by request id. */
  readonly pending = new Map<number, Request>();

  readonly #proofs: KeyringExchange | undefined;
  readonly #joined = withResolvers<void>();
  readonly #done = withResolvers<SessionEnd>();
  readonly #handlers = new Set<MessageHandler>();
  #waiting: Sending[] = [];
  #state: State = 'joining';

  constructor(transport: Transport, realm: string, proofs?: KeyringExchange) {
    this.transport = transport;
    this.realm = realm;
    this.#proofs = proofs;
    transport.attach(this);
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

  /** Sends what needs no request id of ours. `failed` is told if it cannot be sent. */
  send(message: Message, failed?: (error: Error) => void): void {
    this.request({ toMessage: () => message, failed });
  }

  request(sending: Sending): void {
    if (this.#waiting.push(sending) === 1) queueMicrotask(() => this.#flush());
  }

  addMessageHandler(handler: MessageHandler): void {
    this.#handlers.add(handler);
  }

  /** Removes one handler, or all. */
  removeMessageHandler(handler?: MessageHandler): void {
    if (handler === undefined) this.#handlers.clear();
    else this.#handlers.delete(handler);
  }

  /** Says HELLO. Resolves when the router welcomes us, rejects with why it does not; the transport is closed then. */
  join(details: Dict): Promise<void> {
    this.send({ type: MessageType.hello, realm: this.realm, details }, (error) => this.abandon(error));
    return this.#joined.promise;
  }

  /** Says good-bye, waits for the answer and closes the transport. */
  async close(
    details: Dict = NO_KWARGS,
    reason: string = 'wamp.close.normal' satisfies ProtocolUri,
  ): Promise<void> {
    if (this.isOpen) {
      this.send({ type: MessageType.goodbye, details, reason });
      this.#flush();
      this.#state = 'closing';
    }
    await this.#done.promise;
  }

  /** Drops the connection without a word. */
  abandon(error: Error): void {
    this.#end(error.message, error);
  }

  /** Resolves when the session is over, however that came. */
  waitUntilDone(): Promise<SessionEnd> {
    return this.#done.promise;
  }

  onFrame(frame: Frame): void {
    if (this.#state === 'over') return;
    try {
      this.#receive(this.transport.serializer.decode(frame));
    } catch (error) {
      // Handlers throw, too, when a message is for nobody who is there.
      this.#refuse(
        error instanceof BaseError ? error : new InvalidMessage('a message cannot be read', error),
      );
    }
  }

  onClose(reason: string, cause?: unknown): void {
    this.#end(reason, this.#state === 'closing' ? undefined : new TransportError(reason, cause));
  }

  #receive(message: Message): void {
    const { type } = message;
    const isJoining = this.#state === 'joining';
    if (type === MessageType.abort)
      this.#end(message.reason, new AbortError(message.reason, message.details));
    else if (isJoining && type === MessageType.welcome) this.#welcomed(message);
    else if (isJoining && type === MessageType.challenge) void this.#challenged(message);
    else if (isJoining || !HEARD.has(type)) {
      throw new UnexpectedMessageError(`message ${type}`, isJoining ? 'WELCOME' : 'none');
    } else if (type === MessageType.goodbye) this.#receivedGoodbye(message);
    else if (this.isOpen) for (const handler of this.#handlers) handler(message as RouterMessage);
  }

  /** At once: what follows in the same chunk finds the session open. */
  #welcomed({ session: sessionId, details }: Welcome): void {
    this.#proofs?.checkWelcome(details);
    Object.assign(this, { sessionId, details, realm: textIn(details, 'realm') ?? this.realm });
    this.#state = 'open';
    this.#joined.resolve();
  }

  async #challenged(challenge: Challenge): Promise<void> {
    try {
      if (this.#proofs === undefined) throw new AuthError(`no key for "${challenge.method}"`);
      this.send(await this.#proofs.authenticate(challenge));
    } catch (error) {
      this.#refuse(error as AuthError);
    }
  }

  #receivedGoodbye(message: Goodbye): void {
    this.goodbye = message;
    if (this.isOpen)
      this.send({
        ...message,
        details: NO_KWARGS,
        reason: 'wamp.close.goodbye_and_out' satisfies ProtocolUri,
      });
    this.#end(message.reason);
  }

  /** What the router sent cannot be, or it is not whom we trust. */
  #refuse(error: BaseError): void {
    const reason =
      error instanceof AuthError
        ? ('wamp.error.authorization_failed' satisfies ProtocolUri)
        : ('wamp.error.protocol_violation' satisfies ProtocolUri);
    const details = { message: error.message };
    this.send({ type: MessageType.abort, details, reason, payload: NO_PAYLOAD });
    this.#end(reason, error);
  }

  #end(reason: string, error?: Error): void {
    if (this.#state === 'over') return;
    const isOurs = this.#state === 'closing';
    this.#flush();
    this.#state = 'over';
    this.transport.close();
    this.#joined.reject(error);
    // One that is not ours says why HELLO has no form, and nobody asks how a session ended that has not begun.
    this.#done.resolve({ reason, error: error as BaseError | undefined, isOurs });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const frames: Frame[] = [];
    for (const sending of waiting) {
      try {
        this.#encode(sending, frames);
      } catch (error) {
        sending.failed?.(error as Error);
      }
    }
    if (frames.length > 0) this.transport.send(frames);
  }

  #encode(sending: Sending, frames: Frame[]): void {
    if (this.#state === 'over') throw new TransportError('the session is over');
    const id = this.idGenerator.peek();
    const message = sending.toMessage(id);
    if (message === undefined) return;
    const { serializer, frameBytesMax = Infinity } = this.transport;
    const frame = serializer.encode(message);
    // No text has more bytes than three for each of its units: most need not be counted.
    const bytes = frame.length * 3 > frameBytesMax ? new Blob([frame as BlobPart]).size : 0;
    if (bytes > frameBytesMax) {
      throw new WampError('wamp.error.payload_size_exceeded' satisfies ProtocolUri, [
        `${bytes} bytes are more than ${frameBytesMax}`,
      ]);
    }
    if (sending.sent !== undefined) sending.sent(this.idGenerator.next(), this);
    frames.push(frame);
  }
}
