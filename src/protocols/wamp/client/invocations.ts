import * as MessageType from '../messages/message-type.js';
import * as Uris from '../messages/uris.js';
import type { Registration } from './callee.js';
import type { AnyClient } from './client.js';
import { WampError } from './errors.js';
import type { Holdings } from './holdings.js';
import { Invocation } from './invocation.js';
import type { Link } from './link.js';
import type { Interrupt as InterruptMessage, Invocation as InvocationMessage } from './message.js';
import { encodePayload } from './payload.js';
import type { Arguments } from './payload.js';
import { runHandler } from './run-handler.js';
import type { Session } from './session.js';

/** The invocations under way. */
export class Invocations {
  readonly #client: AnyClient;
  readonly #link: Link;
  readonly #registrations: Holdings<Registration>;
  readonly #running = new Map<number, Invocation>();

  constructor(client: AnyClient, link: Link, registrations: Holdings<Registration>) {
    this.#client = client;
    this.#link = link;
    this.#registrations = registrations;
  }

  received(session: Session, message: InvocationMessage | InterruptMessage): void {
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
      this.#refuse(session, message, new WampError(Uris.noSuchProcedure, ['it was just unregistered']));
    } else this.#run(session, message, payload, registration);
  }

  #run(session: Session, message: InvocationMessage, payload: Arguments, registration: Registration): void {
    const invocation = new Invocation({
      client: this.#client,
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
      return this.#link.forms.read(message.payload, message.details);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      this.#refuse(session, message, error);
      return undefined;
    }
  }

  #refuse(session: Session, { request }: InvocationMessage, error: WampError): void {
    const invocation = { type: MessageType.error, requestType: MessageType.invocation, request } as const;
    session.send({ ...invocation, details: {}, error: error.uri, payload: encodePayload(error.args) });
  }
}
