import type { Random } from '../base/random.js';
import type { Credentials } from '../identity/tokens.js';
import type { Caller } from '../module/module-def.js';
import type { ModuleProcedure } from '../module/rpc.js';
import type { Registration } from '../hub/registration-table.js';
import type { LocalCallee } from '../protocols/wamp/server/local-callee.js';
import type { Authorizer, SessionInfo } from '../protocols/wamp/server/options.js';
import type { Realm } from '../protocols/wamp/server/realm.js';
import type { Session } from '../protocols/wamp/server/session.js';
import { deriveIdentity } from '../values/derive-identity.js';
import { ConnectionId, Identity } from '../values/identity.js';
import type { HostedDatabase } from './hosted-database.js';
import { ModuleCall } from './module-call.js';
import { RealmContext } from './module-context.js';

// No issuer of tokens has this name, so nobody's token gives an identity that a realm gave.
const REALM_ISSUER = 'wamp realm';

interface Served {
  /** The one of today's module. */
  procedure: ModuleProcedure;
  readonly registration: Registration<Session>;
}

interface Attachment {
  readonly callee: LocalCallee;
  readonly database: HostedDatabase;
  /** By match and URI. */
  readonly served: Map<string, Served>;
}

/** Modules in the realms of their databases: their procedures, and what they allow. */
export class ModuleRealms {
  readonly #random: Random;
  readonly #onError: (error: unknown, where: string) => void;
  readonly #attachments = new WeakMap<Realm, Attachment>();
  readonly #callers = new WeakMap<SessionInfo, Caller>();

  constructor(random: Random, onError: (error: unknown, where: string) => void) {
    this.#random = random;
    this.#onError = onError;
  }

  /** To be called when the realm or the database is new, or the module has been replaced. */
  attach(realm: Realm, database: HostedDatabase): void {
    let attachment = this.#attachments.get(realm);
    if (attachment?.database !== database) {
      if (attachment !== undefined) withdraw(attachment, new Map());
      const callee = attachment?.callee ?? realm.addCallee('module', 'module');
      attachment = { callee, database, served: new Map() };
      this.#attachments.set(realm, attachment);
    }
    const { rpcs } = database.host;
    withdraw(attachment, rpcs);
    for (const [key, procedure] of rpcs) this.#serve(attachment, key, procedure);
    realm.setAuthorizer(realm.options.authorize ?? this.#authorizerOf(database));
  }

  #serve({ callee, database, served }: Attachment, key: string, procedure: ModuleProcedure): void {
    const present = served.get(key);
    if (present !== undefined) {
      present.procedure = procedure;
      return;
    }
    const { uri, match = 'exact', invoke = 'single', concurrency = Infinity, discloseCaller } = procedure;
    const offer = { procedure: uri, match, invoke, concurrency, disclose: discloseCaller === true };
    try {
      const registration = callee.register(offer, (invocation) => {
        const current = served.get(key)?.procedure ?? procedure;
        new ModuleCall(database, current, invocation).run(this.#callerOf(invocation.caller));
      });
      served.set(key, { procedure, registration });
    } catch (error) {
      this.#onError(error, `procedure ${uri}`);
    }
  }

  #authorizerOf(database: HostedDatabase): Authorizer | undefined {
    const { authorize } = database.host.realm;
    if (authorize === undefined) return undefined;
    const refuse = (error: unknown): false => {
      database.host.reportCrash('realm authorize', error);
      return false;
    };
    return ({ session, ...request }) => {
      try {
        const ctx = new RealmContext(database, this.#callerOf(session), session);
        const answer = authorize(ctx, request);
        return answer instanceof Promise ? answer.catch(refuse) : answer;
      } catch (error) {
        return refuse(error);
      }
    };
  }

  /** The identity of the token; for others one of the realm's own, the same for the same authid. */
  #callerOf(session: SessionInfo): Caller {
    let caller = this.#callers.get(session);
    if (caller === undefined) {
      const credentials = readCredentials(session.context);
      const { realm, authprovider, authid } = session;
      caller = {
        identity: credentials.identity ?? deriveIdentity(REALM_ISSUER, `${realm}/${authprovider}/${authid}`),
        connectionId: ConnectionId.fromBytes(this.#random.fill(new Uint8Array(16))),
        tokenPayload: credentials.payload,
      };
      this.#callers.set(session, caller);
    }
    return caller;
  }
}

/** What the authenticator knows of somebody. An application's own may have put anything there. */
function readCredentials(context: unknown): Partial<Pick<Credentials, 'identity' | 'payload'>> {
  if (typeof context !== 'object' || context === null) return {};
  const { identity, payload } = context as Partial<Record<'identity' | 'payload', unknown>>;
  if (!(identity instanceof Identity)) return {};
  return typeof payload === 'string' ? { identity, payload } : { identity };
}

/** Gives up what `wanted` has not, or has with other options, or what somebody took away. */
function withdraw({ callee, served }: Attachment, wanted: ReadonlyMap<string, ModuleProcedure>): void {
  for (const [key, { procedure, registration }] of served) {
    const next = wanted.get(key);
    const isServed = callee.session.registrations.has(registration);
    if (isServed && next !== undefined && isAlike(next, procedure)) continue;
    served.delete(key);
    if (isServed) callee.unregister(registration);
  }
}

function isAlike(one: ModuleProcedure, other: ModuleProcedure): boolean {
  return (
    one.invoke === other.invoke &&
    one.concurrency === other.concurrency &&
    one.discloseCaller === other.discloseCaller
  );
}
