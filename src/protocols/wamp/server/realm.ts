import type { MatchPolicy } from '../../../hub/pattern-index.js';
import { isUri, Uris } from '../messages/uri.js';
import { Broker } from './broker.js';
import { Dealer } from './dealer.js';
import { LocalCallee } from './local-callee.js';
import { makeMetaProcedures, type MetaProcedure } from './meta/meta-procedures.js';
import type { Action, Authorization, Authorizer, RealmOptions } from './options.js';
import { Refusal } from './refusal.js';
import { Registrar } from './registrar.js';
import { RandomIds, type Services } from './services.js';
import type { Session, Testament } from './session.js';
import type { Dict } from '../messages/message.js';

const ALLOWED: Authorization = { allow: true };
// What one session may have asked lately; then its answers are asked for again.
const CACHED_AUTHORIZATIONS_MAX = 1000;

/** A namespace of topics and procedures, and the sessions in it. */
export class Realm {
  readonly name: string;
  readonly options: RealmOptions;
  readonly services: Services;
  readonly broker: Broker;
  readonly registrar: Registrar;
  readonly dealer: Dealer;
  readonly sessions = new Map<number, Session>();
  /** The application's own, who are no members: they are not counted, and nobody sends them away. */
  readonly residents = new Map<number, Session>();
  /** Decides on every action; undefined: all are allowed. */
  authorizer: Authorizer | undefined;
  readonly metaProcedures: ReadonlyMap<string, MetaProcedure>;
  readonly nextRandom: () => number;

  constructor(name: string, options: RealmOptions, services: Services) {
    this.name = name;
    this.options = options;
    this.services = services;
    this.authorizer = options.authorize;
    this.broker = new Broker(this, options.history ?? []);
    this.registrar = new Registrar(this);
    this.dealer = new Dealer(this);
    this.metaProcedures = makeMetaProcedures(this);
    const bytes = new Uint8Array(4);
    this.nextRandom = () => new DataView(services.random.fill(bytes).buffer).getUint32(0) / 2 ** 32;
  }

  join(session: Session): void {
    this.sessions.set(session.session, session);
    this.broker.publishMeta('wamp.session.on_join', [session.describe()]);
  }

  /** Undoes all that a session did. Its testaments are published, `isQuiet` excepted. */
  leave(session: Session, isQuiet = false): void {
    if (!session.isOpen) return;
    session.isOpen = false;
    session.forgive();
    this.sessions.delete(session.session);
    this.registrar.leave(session);
    this.dealer.leave(session);
    this.broker.leave(session);
    const { testaments } = session;
    session.testaments = [];
    if (isQuiet) return;
    for (const scope of ['detached', 'destroyed'] as const) {
      for (const testament of testaments) if (testament.scope === scope) this.#publishTestament(testament);
    }
    this.broker.publishMeta('wamp.session.on_leave', [session.session, session.authid, session.authrole]);
  }

  /** Lets the embedding application serve procedures under that name. */
  addCallee(authid: string, authrole: string): LocalCallee {
    const callee = new LocalCallee(this, new RandomIds(this.services.random).next(), { authid, authrole });
    this.residents.set(callee.session.session, callee.session);
    return callee;
  }

  /** Puts another authorizer in place of the present one: what that said is forgotten. */
  setAuthorizer(authorizer: Authorizer | undefined): void {
    this.authorizer = authorizer;
    for (const session of this.sessions.values()) session.authorizations.clear();
  }

  #publishTestament({ topic, payload, options }: Testament): void {
    this.broker.deliver(topic, payload, {}, options, undefined);
  }

  /** Throws Refusal for what is no URI, or not one of that kind. */
  checkUri(uri: string, match: MatchPolicy): void {
    if (!isUri(uri, match, this.options.strictUris === true)) throw new Refusal(Uris.invalidUri);
  }

  /** Whether peers are told who it is. Throws Refusal if that was asked for and is never done. */
  isDisclosed(who: 'caller' | 'publisher', isAsked: boolean, authorization: Authorization): boolean {
    const policy = who === 'caller' ? this.options.discloseCaller : this.options.disclosePublisher;
    if (policy === 'never' && isAsked) throw new Refusal(Uris.discloseMeDisallowed);
    return policy === 'always' || isAsked || authorization.disclose === true;
  }

  /** Asks the realm's authorizer, or remembers its answer. Throws Refusal (or rejects with it) for a no. */
  authorize(
    session: Session,
    action: Action,
    uri: string,
    match: MatchPolicy,
    options: Dict,
  ): Authorization | Promise<Authorization> {
    const { authorizer } = this;
    if (authorizer === undefined) return ALLOWED;
    const key = `${action} ${match} ${uri}`;
    const nowMs = this.services.clock.monotonicMs();
    const cached = session.authorizations.get(key);
    if (cached !== undefined && cached.untilMs > nowMs) return checkAnswer(cached.answer, action);
    const remember = (answer: boolean | Authorization): Authorization => {
      const full = typeof answer === 'boolean' ? { allow: answer } : answer;
      const { cacheMs = 0 } = full;
      if (cacheMs > 0) {
        if (session.authorizations.size >= CACHED_AUTHORIZATIONS_MAX) session.authorizations.clear();
        session.authorizations.set(key, { answer: full, untilMs: nowMs + cacheMs });
      }
      return checkAnswer(full, action);
    };
    try {
      const answer = authorizer({ session, action, uri, match, options });
      if (!(answer instanceof Promise)) return remember(answer);
      return answer.then(remember, (error: unknown) => this.#refuse(error));
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** What an authorizer throws is a no, and its own business. */
  #refuse(error: unknown): never {
    if (error instanceof Refusal) throw error;
    this.services.onError(error, `authorizer of ${this.name}`);
    throw new Refusal(Uris.notAuthorized);
  }
}

function checkAnswer(answer: Authorization, action: Action): Authorization {
  if (answer.allow) return answer;
  throw new Refusal(Uris.notAuthorized, `not allowed to ${action}`);
}
