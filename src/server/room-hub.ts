import type { Random } from '../base/random.js';
import type { Clock } from '../base/clock.js';
import type { RoomDefinitions } from '../documents/room-definition.js';
import type { TokenAuthority } from '../identity/tokens.js';
import type { Listener } from '../net/listener.js';
import { addRoomHttp } from '../protocols/rooms/server/room-http.js';
import { roomRoute } from '../protocols/rooms/server/room-route.js';
import { Rooms } from '../protocols/rooms/server/rooms.js';
import type { DatabaseCatalog } from './catalog.js';
import type { HostedDatabase } from './hosted-database.js';

export interface RoomHubOptions {
  readonly catalog: DatabaseCatalog;
  readonly listener: Listener;
  readonly authority: TokenAuthority;
  readonly random: Random;
  readonly clock: Clock;
  /** Rooms of the default database, besides those of its module. */
  readonly definitions: RoomDefinitions;
  /** Its name; the first one of the catalog if left out. */
  readonly defaultDatabase: string | undefined;
  readonly onError: (error: unknown, where: string) => void;
}

/** The rooms of every database, and the paths they are under. */
export class RoomHub {
  readonly #options: RoomHubOptions;
  readonly #byDatabase = new Map<HostedDatabase, { readonly rooms: Rooms; definitions: RoomDefinitions }>();

  constructor(options: RoomHubOptions) {
    this.#options = options;
  }

  /** `/rooms/<id>` and, last of all, bare paths belong to the default database. */
  addRoutes(): void {
    const { listener, catalog, authority, random, clock } = this.#options;
    const shared = { authority, random, nowMicros: () => clock.nowMicros() };
    const named = (name: string | undefined): Rooms | undefined => this.of(catalog.findByName(name ?? ''));
    listener.addUpgradeRoute(
      roomRoute({ ...shared, pattern: '/rooms/*path', findRooms: () => this.ofDefault() }),
    );
    listener.addUpgradeRoute(
      roomRoute({
        ...shared,
        pattern: '/v1/database/:name/rooms/*path',
        findRooms: ({ params }) => named(params['name']),
      }),
    );
    addRoomHttp(listener.router, {
      authority,
      nowMicros: shared.nowMicros,
      find: (database) => (database === undefined ? this.ofDefault() : named(database)),
    });
  }

  /** y-websocket's and wiredb's own paths. To be added after every other protocol's routes. */
  addBareRoute(): void {
    const { listener, authority, random, clock } = this.#options;
    const nowMicros = (): number => clock.nowMicros();
    listener.addUpgradeRoute(
      roomRoute({ pattern: '/*path', findRooms: () => this.ofDefault(), authority, random, nowMicros }),
    );
  }

  ofDefault(): Rooms | undefined {
    const { catalog, defaultDatabase } = this.#options;
    return this.of(catalog.findDefault(defaultDatabase));
  }

  of(database: HostedDatabase | undefined): Rooms | undefined {
    if (database === undefined) return undefined;
    const definitions = this.#definitionsOf(database);
    let found = this.#byDatabase.get(database);
    if (found === undefined) {
      const { turns, wheel } = this.#options.listener;
      const { onError } = this.#options;
      found = { rooms: new Rooms({ host: database, definitions, turns, wheel, onError }), definitions };
      this.#byDatabase.set(database, found);
    } else if (found.definitions !== definitions) {
      found.definitions = definitions;
      found.rooms.replaceDefinitions(definitions);
    }
    return found.rooms;
  }

  close(): void {
    for (const { rooms } of this.#byDatabase.values()) rooms.close();
    this.#byDatabase.clear();
  }

  readonly #merged = new WeakMap<object, RoomDefinitions>();

  /** The same object as long as the module is the same. */
  #definitionsOf({ program: { module }, names }: HostedDatabase): RoomDefinitions {
    const { defaultDatabase, definitions } = this.#options;
    let merged = this.#merged.get(module);
    if (merged === undefined) {
      const isDefault = defaultDatabase === undefined || names.includes(defaultDatabase);
      merged = { ...(isDefault ? definitions : {}), ...module.rooms };
      this.#merged.set(module, merged);
    }
    return merged;
  }
}
