import type { LiveListener, LiveQuery } from '../../../engine/contract.js';
import type { LiveSource } from './runtime.js';

/** What a client subscribed to with one message. */
interface QuerySet {
  readonly id: number;
  /** One entry per query of the message, so the same query may stand here twice. */
  readonly queries: readonly LiveQuery[];
}

interface Attachment {
  /** The sets that hold the query, ascending, as often as they hold it. */
  readonly setIds: number[];
  readonly detach: () => void;
}

/** The query sets of one connection, and which of them a query belongs to. */
export class QuerySets {
  readonly #live: LiveSource;
  readonly #listener: LiveListener;
  readonly #sets = new Map<number, QuerySet>();
  readonly #attachments = new Map<LiveQuery, Attachment>();
  #queryCount = 0;

  constructor(live: LiveSource, listener: LiveListener) {
    this.#live = live;
    this.#listener = listener;
  }

  /** Queries of all sets together. */
  get queryCount(): number {
    return this.#queryCount;
  }

  has(id: number): boolean {
    return this.#sets.has(id);
  }

  /** The queries of a set, none if there is no such set. */
  queriesOf(id: number): readonly LiveQuery[] {
    return this.#sets.get(id)?.queries ?? [];
  }

  /** The queries of all sets, each once. */
  queries(): IterableIterator<LiveQuery> {
    return this.#attachments.keys();
  }

  /** The sets a query belongs to, ascending, as often as they hold it. */
  setsOf(query: LiveQuery): readonly number[] {
    return this.#attachments.get(query)?.setIds ?? [];
  }

  /** Starts to follow the queries. `id` must be free. */
  add(id: number, queries: readonly LiveQuery[]): void {
    this.#sets.set(id, { id, queries });
    this.#queryCount += queries.length;
    for (const query of queries) this.#attach(query, id);
  }

  /** Stops to follow a set; its queries, or undefined when there is none of that id. */
  remove(id: number): readonly LiveQuery[] | undefined {
    const set = this.#sets.get(id);
    if (set === undefined) return undefined;
    this.#sets.delete(id);
    this.#queryCount -= set.queries.length;
    for (const query of set.queries) this.#release(query, id);
    return set.queries;
  }

  /** Drops every set that holds the query; their ids, each once. */
  removeHolders(query: LiveQuery): readonly number[] {
    const ids = [...new Set(this.setsOf(query))];
    for (const id of ids) this.remove(id);
    return ids;
  }

  clear(): void {
    for (const { detach } of this.#attachments.values()) detach();
    this.#attachments.clear();
    this.#sets.clear();
    this.#queryCount = 0;
  }

  #attach(query: LiveQuery, id: number): void {
    const attachment = this.#attachments.get(query);
    if (attachment === undefined) {
      const detach = this.#live.attach(this.#listener, query);
      this.#attachments.set(query, { setIds: [id], detach });
    } else {
      attachment.setIds.push(id);
      attachment.setIds.sort((a, b) => a - b);
    }
  }

  #release(query: LiveQuery, id: number): void {
    const attachment = this.#attachments.get(query);
    if (attachment === undefined) return;
    const { setIds, detach } = attachment;
    setIds.splice(setIds.indexOf(id), 1);
    if (setIds.length > 0) return;
    this.#attachments.delete(query);
    detach();
  }
}
