import type { Identity } from '../../../../values/identity.js';
import { encodeResume } from '../../messages/resume-messages.js';
import type { Resumed } from '../../messages/resume-messages.js';
import type { QuerySetUpdate, TableRows } from '../../messages/server-messages.js';
import type { CacheRebuild, ClientCache } from '../cache/client-cache.js';
import type { RowEvent } from '../cache/table-cache.js';
import { ConnectionError } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { Outbox } from './outbox.js';
import type { HeldQueries, Subscriptions } from './subscriptions.js';

/*
 * Going on after a cut. A server that resumes is told how far the cache has come and answers with what was missed, or with
 * all rows. Any other is asked for all rows again, one query set after the other. Rows that come anew are compared with the
 * cache when all are there, so that callbacks run for what is different only.
 */

export class Comeback<RM extends UntypedRemoteModule> {
  readonly #cache: ClientCache;
  readonly #subscriptions: Subscriptions<RM>;
  readonly #outbox: Outbox;
  /** The history that `#offset` belongs to. */
  #epoch = '';
  /** What the cache reflects. */
  #offset = 0;
  /** What the server of the present connection said; ours once we have its rows. */
  #serverEpoch = '';
  #held: readonly HeldQueries[] = [];
  #awaited = new Set<number>();
  #rebuild: CacheRebuild | undefined;

  constructor(cache: ClientCache, subscriptions: Subscriptions<RM>, outbox: Outbox) {
    this.#cache = cache;
    this.#subscriptions = subscriptions;
    this.#outbox = outbox;
  }

  /** Whether rows come set by set from a server that cannot resume. */
  get isRebuilding(): boolean {
    return this.#rebuild !== undefined;
  }

  /** Whether nothing more is to come from a server that cannot resume. */
  get isComplete(): boolean {
    return this.#awaited.size === 0;
  }

  /** The first message of a server that resumes. @param isNew nothing is in the cache yet. */
  noteEpoch(epoch: string, isNew: boolean): void {
    this.#serverEpoch = epoch;
    if (isNew) this.#epoch = epoch;
  }

  notePosition(offset: number): void {
    this.#offset = offset;
  }

  /** What the cache holds is not what the server thinks: only all rows anew will do. */
  distrust(): void {
    this.#epoch = '';
  }

  /** The connection is cut again. */
  abandon(): void {
    this.#rebuild = undefined;
    this.#awaited.clear();
  }

  /** Asks to go on; the answer comes to `resumed`. */
  askToResume(identity: Identity): void {
    this.#held = this.#subscriptions.held();
    const writer = this.#outbox.begin();
    const { querySets, epoch, offset } = { querySets: this.#held, epoch: this.#epoch, offset: this.#offset };
    encodeResume(writer, { kind: 'resume', identity, epoch, offset, querySets });
    this.#outbox.end();
  }

  /** Asks for all rows; the answers come to `addSet` and `dropSet`. */
  askForAll(): void {
    this.#epoch = '';
    this.#held = this.#subscriptions.held();
    this.#awaited = new Set(this.#held.map(({ querySetId }) => querySetId));
    this.#rebuild = this.#cache.startRebuild();
    this.#subscriptions.resubscribe(this.#held);
  }

  addSet(querySetId: number, tables: readonly TableRows[]): void {
    if (!this.#awaited.delete(querySetId)) throw notAsked(querySetId);
    this.#rebuild?.addRows(tables);
  }

  addUpdate(querySets: readonly QuerySetUpdate[]): void {
    this.#rebuild?.addUpdate(querySets);
  }

  dropSet(querySetId: number): void {
    if (!this.#awaited.delete(querySetId)) throw notAsked(querySetId);
  }

  /** All rows are there: what is different from before. */
  finish(): RowEvent[] {
    const events = this.#rebuild?.finish() ?? [];
    this.#rebuild = undefined;
    return events;
  }

  /** The server's answer: what is different, when it sent all rows, and which sets it does not follow any more. */
  resumed({ snapshot }: Resumed): {
    readonly events: readonly RowEvent[];
    readonly dropped: readonly { readonly querySetId: number; readonly error: string }[];
    readonly resumedBy: 'changes' | 'snapshot';
  } {
    if (snapshot === undefined) {
      if (this.#serverEpoch !== this.#epoch) {
        throw new ConnectionError('PROTOCOL', 'the server tells changes of a history that is not its own');
      }
      return { events: [], dropped: [], resumedBy: 'changes' };
    }
    const awaited = new Set(this.#held.map(({ querySetId }) => querySetId));
    const rebuild = this.#cache.startRebuild();
    const dropped: { readonly querySetId: number; readonly error: string }[] = [];
    for (const { querySetId, result } of snapshot) {
      if (!awaited.delete(querySetId)) throw notAsked(querySetId);
      if (result.kind === 'ok') rebuild.addRows(result.tables);
      else dropped.push({ querySetId, error: result.error });
    }
    for (const querySetId of awaited) {
      throw new ConnectionError('PROTOCOL', `the server says nothing of query set ${querySetId}`);
    }
    this.#epoch = this.#serverEpoch;
    this.#offset = 0;
    // Who held nothing has missed nothing, wherever he was.
    const resumedBy = this.#held.length === 0 ? 'changes' : 'snapshot';
    return { events: rebuild.finish(), dropped, resumedBy };
  }
}

function notAsked(querySetId: number): ConnectionError {
  return new ConnectionError('PROTOCOL', `the server sends query set ${querySetId}, which was not asked for`);
}
