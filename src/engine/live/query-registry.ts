import type { BoundQuery } from '../sql/bound.js';
import { instanceKey, QueryInstance } from './query-instance.js';
import type { Snapshot } from './query-instance.js';

/**
 * Sees to it that equal queries are one object for as long as anybody holds it: attached ones are kept, others live
 * until the last holder forgets them.
 */
export class QueryRegistry {
  readonly #takeSnapshot: (query: QueryInstance) => Snapshot;
  readonly #attached = new Map<string, QueryInstance>();
  readonly #idle = new Map<string, WeakRef<QueryInstance>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#idle.get(key)?.deref() === undefined) this.#idle.delete(key);
  });

  constructor(takeSnapshot: (query: QueryInstance) => Snapshot) {
    this.#takeSnapshot = takeSnapshot;
  }

  get attachedCount(): number {
    return this.#attached.size;
  }

  attached(): IterableIterator<QueryInstance> {
    return this.#attached.values();
  }

  /** The object of that query. */
  intern(bound: BoundQuery): QueryInstance {
    const key = instanceKey(bound);
    const known = this.#attached.get(key) ?? this.#idle.get(key)?.deref();
    if (known !== undefined) {
      known.bound = bound;
      return known;
    }
    const made = new QueryInstance(key, bound, this.#takeSnapshot);
    this.#keepIdle(made);
    return made;
  }

  markAttached(query: QueryInstance): void {
    this.#idle.delete(query.key);
    this.#collected.unregister(query);
    this.#attached.set(query.key, query);
  }

  markIdle(query: QueryInstance): void {
    this.#attached.delete(query.key);
    this.#keepIdle(query);
  }

  #keepIdle(query: QueryInstance): void {
    this.#idle.set(query.key, new WeakRef(query));
    this.#collected.register(query, query.key, query);
  }
}
