import * as MessageType from '../messages/message-type.js';
import type * as Uris from '../messages/uris.js';
import type { Registration, Registrations } from './callee.js';
import { Invocation } from './invocation.js';
import { WampError, takeParts } from './invocation-parts.js';
import type { InvocationParts } from './invocation-parts.js';
import type { Link } from './link.js';
import type { Interrupt as InterruptMessage, Invocation as InvocationMessage } from './message.js';
import type { Arguments } from './payload.js';
import { runHandler } from './run-handler.js';
import type { Session } from './session.js';

const NO_SUCH_PROCEDURE: typeof Uris.noSuchProcedure = 'wamp.error.no_such_procedure';

/** The invocations under way. */
export class Invocations {
  readonly #registrations: Registrations;
  readonly #link: Link;
  readonly #running = new Map<number, Invocation>();

  constructor(registrations: Registrations, link: Link, given: InvocationParts) {
    takeParts(given);
    this.#registrations = registrations;
    this.#link = link;
  }

  received(session: Session, message: InvocationMessage | InterruptMessage): void {
    // It may have waited until this code was there.
    if (!session.isOpen) return;
    if (message.type === MessageType.invocation) this.#invoked(session, message);
    else this.#running.get(message.request)?.interrupted(message.options);
  }

  /** The session is over. */
  sessionLost(): void {
    for (const invocation of this.#running.values()) invocation.abandon();
    this.#running.clear();
  }

  #invoked(session: Session, message: InvocationMessage): void {
    const running = this.#running.get(message.request);
    const payload = this.#read(session, message);
    if (payload === undefined) return;
    if (running !== undefined) {
      running.continued(payload, message.details['progress'] !== true);
      return;
    }
    // Of two registrations with one id, the last one answers.
    const registration = this.#registrations.withId(message.registration).at(-1);
    if (registration === undefined) {
      this.#refuse(session, message, new WampError(NO_SUCH_PROCEDURE, ['just unregistered']));
    } else this.#run(session, message, payload, registration);
  }

  #run(session: Session, message: InvocationMessage, payload: Arguments, registration: Registration): void {
    const invocation = new Invocation({
      link: this.#link,
      session,
      message,
      payload,
      registeredProcedure: registration.procedure,
      onDone: (requestId) => void this.#running.delete(requestId),
    });
    this.#running.set(message.request, invocation);
    runHandler(this.#link, invocation, registration.handler);
  }

  #read(session: Session, message: InvocationMessage): Arguments | undefined {
    try {
      return this.#link.read(message.payload, message.details);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      this.#refuse(session, message, error);
      return undefined;
    }
  }

  #refuse(session: Session, { request }: InvocationMessage, error: WampError): void {
    const invocation = { type: MessageType.error, requestType: MessageType.invocation, request } as const;
    session.send({ ...invocation, details: {}, error: error.uri, payload: { args: error.args, kwargs: {} } });
  }
}
