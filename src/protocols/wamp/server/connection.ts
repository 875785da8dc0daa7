import type { WheelTask } from '../../../net/timer-wheel.js';
import { isDict } from '../messages/fields.js';
import {
  type Authenticate,
  type Dict,
  type Hello,
  isClientMessage,
  type Message,
  messageName,
  MessageType,
} from '../messages/message.js';
import { MessageError } from '../messages/message-error.js';
import { Payload } from '../messages/payload.js';
import { isUri, Uris } from '../messages/uri.js';
import { type AuthStep, denied, type Principal } from './auth/authenticator.js';
import { checkOptions } from './check-options.js';
import { AnnouncedFeatures, ROUTER_ROLES } from './features.js';
import type { Output, TransportInfo } from './output.js';
import type { Realm } from './realm.js';
import { Refusal, Violation } from './refusal.js';
import type { WampRouter } from './router.js';
import { Session } from './session.js';

/*
 * State x message. Everything that is not in the table is a protocol violation: ABORT, and the transport ends.
 *
 *   state           HELLO      AUTHENTICATE   ABORT   GOODBYE            requests
 *   waiting         -> authenticating          end
 *   authenticating             (challenged)    end
 *   joined                                     end     answer -> waiting  carried out
 *   leaving                                    end     end                ignored: they crossed our GOODBYE
 *   ended           ignored    ignored         ...
 */
type State = 'waiting' | 'authenticating' | 'joined' | 'leaving' | 'ended';

/** Requests that take an id of the session's sequence. */
const REQUESTS: ReadonlySet<number> = new Set([
  MessageType.publish,
  MessageType.subscribe,
  MessageType.unsubscribe,
  MessageType.call,
  MessageType.register,
  MessageType.unregister,
]);

/** The router's end of one transport: messages in, messages out. Knows no sockets. */
export class Connection implements WheelTask {
  wheelDueMs = Infinity;
  readonly #router: WampRouter;
  readonly #output: Output;
  readonly #transport: TransportInfo;
  #state: State = 'waiting';
  #realm: Realm | undefined;
  #session: Session | undefined;
  #challenge: Extract<AuthStep, { kind: 'challenge' }> | undefined;
  #hello: { readonly message: Hello; readonly method: string; readonly session: number } | undefined;
  /** Messages behind one whose authorization takes its time; undefined when there is none. */
  #waiting: { readonly message: Message; readonly bytes: number }[] | undefined;

  constructor(router: WampRouter, output: Output, transport: TransportInfo) {
    this.#router = router;
    this.#output = output;
    this.#transport = transport;
    const { wheel, limits } = router.services;
    wheel.schedule(this, limits.joinMs);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** The next message, of so many octets. Answers go to the output. */
  receive(message: Message, bytes = 0): void {
    if (this.#waiting === undefined) return this.#handle(message, bytes);
    if (this.#waiting.length >= this.#router.services.limits.waitingMessages) {
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
    if (this.#state === 'leaving') {
      if (message.type === MessageType.goodbye || message.type === MessageType.abort) this.#finish();
      return;
    }
    if (message.type === MessageType.abort) return this.#finish();
    if (this.#state === 'joined') return this.#handleRequest(message, bytes);
    if (this.#state === 'waiting' && message.type === MessageType.hello) return this.#greet(message);
    const challenge = this.#challenge;
    if (challenge !== undefined && message.type === MessageType.authenticate) {
      this.#challenge = undefined;
      return this.#authenticate(challenge, message);
    }
    this.#abort(Uris.protocolViolation, `${messageName(message.type)} is not expected now`);
  }

  #handleRequest(message: Message, bytes: number): void {
    if (message.type === MessageType.goodbye) return this.#answerGoodbye();
    let pending: void | Promise<void>;
    try {
      pending = this.#carryOut(this.#session!, this.#realm!, message, bytes);
    } catch (error) {
      return this.#refuse(message, error);
    }
    if (pending !== undefined) this.#waitFor(message, pending);
  }

  #carryOut(session: Session, realm: Realm, message: Message, bytes: number): void | Promise<void> {
    if (bytes > this.#router.services.limits.messageBytesMax) return refuseSize(session, realm, message);
    if ('options' in message) checkOptions(message.type, message.options);
    const isContinuation = REQUESTS.has(message.type) && this.#countRequest(session, realm, message);
    switch (message.type) {
      case MessageType.call:
        return realm.dealer.call(session, message, isContinuation);
      case MessageType.yield:
        return realm.dealer.yield(session, message);
      case MessageType.publish:
        return realm.broker.publish(session, message);
      case MessageType.subscribe:
        return realm.broker.subscribe(session, message);
      case MessageType.unsubscribe:
        return realm.broker.unsubscribe(session, message);
      case MessageType.register:
        return realm.registrar.register(session, message);
      case MessageType.unregister:
        return realm.registrar.unregister(session, message);
      case MessageType.cancel:
        return realm.dealer.cancel(session, message);
      case MessageType.error:
        if (message.requestType !== MessageType.invocation) {
          throw new Violation('a client answers only invocations with ERROR');
        }
        return realm.dealer.error(session, message);
      case MessageType.eventReceived:
        return undefined;
      default:
        throw new Violation(
          isClientMessage(message)
            ? `${messageName(message.type)} is not expected now`
            : `${messageName(message.type)} is for routers to send`,
        );
    }
  }

  /** Follows the sequence of request ids. Whether this one was there before. */
  #countRequest(session: Session, realm: Realm, message: Message): boolean {
    const { request } = message as { readonly request: number };
    const last = session.requestWatermark;
    if (request > last) session.requestWatermark = request;
    if (realm.options.strictIds === true && request !== last + 1) {
      // Further chunks of a call carry its id again.
      const isChunk = message.type === MessageType.call && request <= last;
      if (!isChunk) throw new Violation(`request ${request} follows ${last}`);
    }
    return request <= last;
  }

  #waitFor(message: Message, pending: Promise<void>): void {
    this.#waiting = [];
    void pending
      .catch((error: unknown) => {
        if (this.#state === 'joined') this.#refuse(message, error);
      })
      .then(() => this.#resume());
  }

  /** Carries on with what came meanwhile. */
  #resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (let at = 0; at < waiting.length; at++) {
      const { message, bytes } = waiting[at]!;
      this.#handle(message, bytes);
      if (this.#waiting !== undefined) {
        (this.#waiting as typeof waiting).push(...waiting.slice(at + 1));
        return;
      }
    }
  }

  #refuse(message: Message, error: unknown): void {
    if (error instanceof Violation) return this.#abort(Uris.protocolViolation, error.message);
    // Payloads are decoded only where somebody looks into them.
    if (error instanceof MessageError) return this.#abort(Uris.protocolViolation, error.message);
    let refusal: Refusal;
    if (error instanceof Refusal) {
      refusal = error;
    } else {
      this.#router.services.onError(error, messageName(message.type));
      refusal = new Refusal(Uris.runtimeError, 'internal error');
    }
    // Publications without acknowledgement have no answer at all; neither have answers.
    if (message.type === MessageType.publish && message.options['acknowledge'] !== true) return;
    if (!REQUESTS.has(message.type)) return;
    const { request } = message as { readonly request: number };
    this.#session?.sendError(message.type, request, refusal.uri, refusal.message);
  }

  #greet(message: Hello): void {
    const { realm: name, details } = message;
    const { roles } = details;
    if (!isDict(roles) || Object.keys(roles).length === 0) {
      return this.#abort(Uris.protocolViolation, 'HELLO.Details.roles names no role');
    }
    const offered: unknown = details['authmethods'] ?? ['anonymous'];
    if (!Array.isArray(offered))
      return this.#abort(Uris.protocolViolation, 'HELLO.Details.authmethods is no list');
    const { authid } = details;
    if (authid !== undefined && authid !== null && typeof authid !== 'string') {
      return this.#abort(Uris.protocolViolation, 'HELLO.Details.authid is no string');
    }
    if (!isUri(name)) return this.#abort(Uris.noSuchRealm, 'there is no such realm');
    this.#realm = this.#router.findRealm(name);
    if (this.#realm === undefined) return this.#abort(Uris.noSuchRealm, 'there is no such realm');
    const authenticator = this.#router.findAuthenticator(offered.length === 0 ? ['anonymous'] : offered);
    if (authenticator === undefined) {
      return this.#abort(Uris.noMatchingAuthMethod, 'none of the offered authentication methods is accepted');
    }
    this.#state = 'authenticating';
    const session = this.#router.newSessionId();
    this.#hello = { message, method: authenticator.name, session };
    const authextra = isDict(details['authextra']) ? details['authextra'] : {};
    const request = {
      realm: name,
      authid: authid ?? undefined,
      authextra,
      session,
      transport: this.#transport,
    };
    this.#take(() => authenticator.begin(request));
  }

  #authenticate(challenge: Extract<AuthStep, { kind: 'challenge' }>, message: Authenticate): void {
    this.#take(() => challenge.answer(message.signature, message.extra));
  }

  /** Goes one step of the authentication. */
  #take(step: () => AuthStep | Promise<AuthStep>): void {
    const fail = (error: unknown): void => {
      this.#router.services.onError(error, 'authentication');
      this.#follow(denied('the authenticator failed'));
    };
    try {
      const next = step();
      if (next instanceof Promise) next.then((decided) => this.#follow(decided), fail);
      else this.#follow(next);
    } catch (error) {
      fail(error);
    }
  }

  #follow(step: AuthStep): void {
    // The transport may have gone meanwhile, or patience ended.
    if (this.#state !== 'authenticating') return;
    if (step.kind === 'welcome') return this.#welcome(step.principal);
    if (step.kind === 'denied') return this.#abort(Uris.authenticationFailed, 'authentication failed');
    this.#challenge = step;
    this.#output.send({ type: MessageType.challenge, method: this.#hello!.method, extra: step.extra });
  }

  #welcome(principal: Principal): void {
    const { message, method, session: id } = this.#hello!;
    const realm = this.#realm!;
    // It may have been closed meanwhile.
    if (this.#router.realm(realm.name) !== realm)
      return this.#abort(Uris.noSuchRealm, 'there is no such realm');
    const { authid, authrole, authprovider = 'dynamic', authextra = {}, context } = principal;
    const info = {
      session: id,
      realm: realm.name,
      authid,
      authrole,
      authmethod: method,
      authprovider,
      authextra,
      context,
    };
    const features = new AnnouncedFeatures(message.details['roles'] as Dict);
    const kick = (reason: string, text?: string, isQuiet = false): void => this.#leave(reason, text, isQuiet);
    this.#session = new Session(info, features, this.#transport, this.#output, kick);
    this.#state = 'joined';
    this.#hello = undefined;
    this.#router.services.wheel.cancel(this);
    this.#output.send({
      type: MessageType.welcome,
      session: id,
      details: {
        roles: ROUTER_ROLES,
        realm: realm.name,
        authid,
        authrole,
        authmethod: method,
        authprovider,
        ...(Object.keys(authextra).length === 0 ? {} : { authextra }),
        x_message_bytes_max: this.#router.services.limits.messageBytesMax,
      },
    });
    realm.join(this.#session);
  }

  #answerGoodbye(): void {
    this.#depart();
    this.#output.send({ type: MessageType.goodbye, details: {}, reason: Uris.goodbyeAndOut });
    // The transport may be used for another session.
    this.#state = 'waiting';
    const { wheel, limits } = this.#router.services;
    wheel.schedule(this, limits.joinMs);
  }

  #leave(reason: string, message: string | undefined, isQuiet: boolean): void {
    if (this.#state !== 'joined') return this.#finish();
    this.#depart(isQuiet);
    const details = message === undefined ? {} : { message };
    this.#output.send({ type: MessageType.goodbye, details, reason });
    this.#state = 'leaving';
    const { wheel, limits } = this.#router.services;
    wheel.schedule(this, limits.goodbyeMs);
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
    this.#challenge = undefined;
    this.#router.services.wheel.cancel(this);
    this.#router.forget(this);
    this.#depart();
  }
}

/** Answers a message that is too long as well as its kind can be answered. */
function refuseSize(session: Session, realm: Realm, message: Message): void {
  if (message.type === MessageType.yield || message.type === MessageType.error) {
    return realm.dealer.error(session, {
      type: MessageType.error,
      requestType: MessageType.invocation,
      request: message.request,
      details: {},
      error: Uris.payloadSizeExceeded,
      payload: Payload.of(['the result is too long']),
    });
  }
  throw new Refusal(Uris.payloadSizeExceeded, 'the message is too long');
}
