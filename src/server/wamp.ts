import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Credentials, TokenAuthority } from '../identity/tokens.js';
import type { Publication } from '../module/effects.js';
import { anonymousAuth } from '../protocols/wamp/server/auth/anonymous.js';
import type { Authenticator } from '../protocols/wamp/server/auth/authenticator.js';
import { tokenAuth, type TokenAuthOptions } from '../protocols/wamp/server/auth/token.js';
import { Payload } from '../protocols/wamp/messages/payload.js';
import type { RealmOptions, RouterLimits } from '../protocols/wamp/server/options.js';
import { WampRouter } from '../protocols/wamp/server/router.js';
import type { DatabaseCatalog } from './catalog.js';
import type { HostedDatabase } from './hosted-database.js';
import { ModuleRealms } from './module-realms.js';

export interface WampOptions {
  /**
   * Realms by name, besides one for each database. Options given under a database's name are that realm's; an authorizer among them
   * takes the place of the module's.
   */
  readonly realms?: Readonly<Record<string, RealmOptions>>;
  /**
   * Methods of authentication, or what makes them out of the server's own. Of two with the same name the last one counts. Default: the
   * server's tokens (as `ticket` or `token`; the role is `user`, or `owner` for the server's), and `anonymous`.
   *
   * @example
   * auth: ({ methods }) => [...methods, craAuth({ lookup: (authid) => users.get(authid) })]
   */
  readonly auth?: readonly Authenticator[] | ((own: OwnAuth) => readonly Authenticator[]);
  readonly limits?: Partial<RouterLimits>;
  /** A Unix socket for RawSocket, besides the port: for this machine's processes of the same user. */
  readonly unixPath?: string;
}

/** How a server knows who somebody is that nobody else has to vouch for. */
export interface OwnAuth {
  /** `ticket` and `token` of the server's tokens, and `anonymous`. */
  readonly methods: readonly Authenticator[];
  /** Verifies tokens, for a `tokenAuth` with other roles. */
  readonly authority: TokenAuthOptions['authority'];
}

interface Surroundings {
  readonly authority: TokenAuthority;
  readonly owner: Credentials;
  readonly catalog: DatabaseCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown, where: string) => void;
}

/** The router of a server: a realm for each database, with its module's procedures, opened when somebody asks for it. */
export function openWamp(options: WampOptions = {}, around: Surroundings): WampRouter {
  const { catalog, clock, random, onError } = around;
  const given = options.realms ?? {};
  const modules = new ModuleRealms(random, onError);
  const router = new WampRouter({
    realms: given,
    // A realm that was closed with its database is opened again like one that was never there.
    openRealm: (name) => given[name] ?? (catalog.findByName(name) === undefined ? undefined : {}),
    onRealm: (realm) => {
      const database = catalog.findByName(realm.name);
      if (database !== undefined) modules.attach(realm, database);
    },
    auth: chooseAuth(options.auth, around),
    limits: options.limits ?? {},
    clock,
    random,
    onError,
  });
  catalog.onModule = (database) => {
    for (const name of database.names) {
      const realm = router.realm(name);
      if (realm !== undefined) modules.attach(realm, database);
    }
  };
  catalog.onNameGone = (name) => router.removeRealm(name);
  return router;
}

function chooseAuth(
  given: WampOptions['auth'],
  { authority, owner, random }: Surroundings,
): readonly Authenticator[] {
  if (typeof given === 'object') return given;
  const roleOf = ({ identity }: Credentials): string => (identity.isEqual(owner.identity) ? 'owner' : 'user');
  const methods = [...tokenAuth({ authority, roleOf }), anonymousAuth({ random })];
  return given?.({ methods, authority }) ?? methods;
}

/** Publishes to the realms that are named as the database. Where nobody has joined yet, nobody hears of it. */
export function publishToRealms(
  router: WampRouter,
  { names }: HostedDatabase,
  { topic, args, kwargs }: Publication,
): void {
  const payload = Payload.of(args, kwargs);
  for (const name of names) router.realm(name)?.broker.deliver(topic, payload, {}, {}, undefined);
}
