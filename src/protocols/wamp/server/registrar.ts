import type { MatchPolicy } from '../../../hub/pattern-index.js';
import {
  type InvokePolicy,
  type Registration,
  RegistrationTable,
  type ServerOptions,
} from '../../../hub/registration-table.js';
import { type Dict, MessageType, type Register, type Unregister } from '../messages/message.js';
import { Uris } from '../messages/uri.js';
import type { Realm } from './realm.js';
import { Refusal } from './refusal.js';
import type { Session } from './session.js';

/** What a session offers to serve, and how it shares it with others. */
export interface Offer extends ServerOptions {
  readonly procedure: string;
  readonly match: MatchPolicy;
  readonly invoke: InvokePolicy;
  /** Takes the procedure from those who have it, unless they live here. */
  readonly force: boolean;
}

/** Procedures of a realm, and who serves them. */
export class Registrar {
  readonly table = new RegistrationTable<Session>();
  readonly #realm: Realm;

  constructor(realm: Realm) {
    this.#realm = realm;
  }

  register(session: Session, message: Register): void | Promise<void> {
    const { options, procedure } = message;
    const match = (options['match'] as MatchPolicy | undefined) ?? 'exact';
    this.#realm.checkUri(procedure, match);
    if (procedure === 'wamp' || procedure.startsWith('wamp.')) {
      throw new Refusal(Uris.invalidUri, "names below wamp are the router's");
    }
    const answer = this.#realm.authorize(session, 'register', procedure, match, options);
    if (answer instanceof Promise) return answer.then(() => this.#register(session, message, match));
    return this.#register(session, message, match);
  }

  #register(session: Session, { request, options, procedure }: Register, match: MatchPolicy): void {
    // The authorizer may have taken its time.
    if (!session.isOpen) return;
    if (session.registrations.size >= this.#realm.services.limits.registrationsPerSession) {
      throw new Refusal(Uris.notAuthorized, 'too many registrations');
    }
    if (options['disclose_caller'] === true && this.#realm.options.discloseCaller === 'never') {
      throw new Refusal(Uris.discloseMeDisallowed);
    }
    const offer: Offer = {
      procedure,
      match,
      invoke: (options['invoke'] as InvokePolicy | undefined) ?? 'single',
      concurrency: (options['concurrency'] as number | undefined) ?? Infinity,
      disclose: options['disclose_caller'] === true,
      forwardTimeout: options['forward_timeout'] === true,
      force: options['force_reregister'] === true,
    };
    this.add(session, offer, ({ id }) =>
      session.output.send({ type: MessageType.registered, request, registration: id }),
    );
  }

  /** Adds a session that was allowed to; `answer` runs before anybody hears of it. Throws Refusal if others have it. */
  add(session: Session, offer: Offer, answer: (registration: Registration<Session>) => void): void {
    const { procedure, match, invoke, concurrency, disclose, forwardTimeout } = offer;
    if (offer.force) this.#evict(procedure, match);
    const server = { concurrency, disclose, forwardTimeout };
    const nowMicros = this.#realm.services.clock.nowMicros();
    const added = this.table.add(session, procedure, match, invoke, server, nowMicros);
    if (added.kind === 'taken') throw new Refusal(Uris.procedureAlreadyExists);
    const { registration } = added;
    session.registrations.add(registration);
    answer(registration);
    if (added.isFirst) this.#announce('on_create', session, describeRegistration(registration));
    this.#announce('on_register', session, registration.id);
  }

  #evict(procedure: string, match: MatchPolicy): void {
    const registration = this.table.index.get(procedure, match);
    if (registration === undefined) return;
    for (const { member } of registration.servers.slice()) {
      if (!member.isResident) {
        this.revoke(member, registration, 'wamp.error.procedure_registered_elsewhere');
      }
    }
  }

  unregister(session: Session, { request, registration: id }: Unregister): void {
    const registration = this.table.get(id);
    if (registration === undefined || !session.registrations.has(registration)) {
      throw new Refusal(Uris.noSuchRegistration);
    }
    this.remove(session, registration, () =>
      session.output.send({ type: MessageType.unregistered, request }),
    );
  }

  /** Ends a registration of a session from our side. Calls under way are not touched. */
  revoke(session: Session, registration: Registration<Session>, reason: string): void {
    this.remove(session, registration, () => {
      if (!session.features.has('callee', 'registration_revocation')) return;
      const details = { registration: registration.id, reason };
      session.output.send({ type: MessageType.unregistered, request: 0, details });
    });
  }

  leave(session: Session): void {
    for (const registration of session.registrations) this.remove(session, registration, () => {});
  }

  remove(session: Session, registration: Registration<Session>, answer: () => void): void {
    session.registrations.delete(registration);
    const removed = this.table.remove(session, registration);
    answer();
    if (removed === undefined) return;
    this.#announce('on_unregister', session, registration.id);
    if (removed.isLast) this.#announce('on_delete', session, registration.id);
  }

  #announce(event: string, session: Session, what: unknown): void {
    this.#realm.broker.publishMeta(`wamp.registration.${event}`, [session.session, what], session);
  }
}

export function describeRegistration(registration: Registration<Session>): Dict {
  const { id, createdMicros, uri, match, invoke } = registration;
  return { id, created: new Date(createdMicros / 1000).toISOString(), uri, match, invoke };
}
