import { systemClock } from '../../../base/clock.js';
import { systemRandom } from '../../../base/random.js';
import { TimerWheel } from '../../../net/timer-wheel.js';
import { Uris } from '../messages/uri.js';
import { anonymousAuth } from './auth/anonymous.js';
import type { Authenticator } from './auth/authenticator.js';
import { Connection } from './connection.js';
import { type RealmOptions, type RouterOptions, routerLimitsDefault } from './options.js';
import type { Output, TransportInfo } from './output.js';
import { Realm } from './realm.js';
import { RandomIds, type Services } from './services.js';

/**
 * A WAMP router without sockets: realms, and connections that transports hand messages to.
 *
 * @example
 * const router = new WampRouter({ realms: { realm1: {} } });
 * mountWamp(listener, router);
 */
export class WampRouter {
  readonly services: Services;
  readonly #options: RouterOptions;
  readonly #realms = new Map<string, Realm>();
  readonly #authenticators: ReadonlyMap<string, Authenticator>;
  readonly #connections = new Set<Connection>();
  readonly #sessionIds: RandomIds;

  constructor(options: RouterOptions = {}) {
    const { clock = systemClock, random = systemRandom, onError = () => {} } = options;
    this.#options = options;
    const wheel = new TimerWheel(clock, (error) => onError(error, 'timer'));
    this.services = { clock, random, wheel, limits: { ...routerLimitsDefault, ...options.limits }, onError };
    this.#sessionIds = new RandomIds(random);
    const auth = options.auth ?? [anonymousAuth({ random })];
    this.#authenticators = new Map(auth.map((method) => [method.name, method]));
    for (const [name, realm] of Object.entries(options.realms ?? {})) this.addRealm(name, realm);
  }

  /** Open transports. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  addRealm(name: string, options: RealmOptions = {}): Realm {
    const realm = new Realm(name, options, this.services);
    this.#realms.set(name, realm);
    this.#options.onRealm?.(realm);
    return realm;
  }

  /** The realm of that name, if it is open. */
  realm(name: string): Realm | undefined {
    return this.#realms.get(name);
  }

  /** The realm of that name; opened if the options say so. */
  findRealm(name: string): Realm | undefined {
    const realm = this.#realms.get(name);
    if (realm !== undefined) return realm;
    const options = this.#options.openRealm?.(name);
    return options === undefined ? undefined : this.addRealm(name, options);
  }

  /** Ends a realm and the sessions in it. */
  removeRealm(name: string): void {
    const realm = this.#realms.get(name);
    if (realm === undefined) return;
    this.#realms.delete(name);
    for (const session of realm.sessions.values()) session.kick(Uris.closeRealm, undefined, true);
  }

  /** The first of the offered methods that is configured. */
  findAuthenticator(offered: readonly unknown[]): Authenticator | undefined {
    for (const name of offered) {
      const found = this.#authenticators.get(name as string);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  newSessionId(): number {
    return this.#sessionIds.next();
  }

  /** A transport has opened. */
  connect(output: Output, transport: TransportInfo): Connection {
    const connection = new Connection(this, output, transport);
    this.#connections.add(connection);
    return connection;
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Says goodbye to everybody. Transports end when they are answered, or after a moment. */
  close(): void {
    for (const connection of this.#connections) connection.close(Uris.systemShutdown);
  }
}
