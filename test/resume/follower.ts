import { expect } from 'vitest';
import { DbConnection } from '../../interop/generated/probe-chorale/index.js';

/* A client that believes only its callbacks, and what it has seen. */

export const TABLES = ['user', 'message', 'label', 'score'] as const;
type Row = Readonly<Record<string, unknown>>;
type Builder = ReturnType<typeof DbConnection.builder>;

/** How often a call ended in which way. */
export type CallOutcome = 'done' | 'unknown' | 'not sent';

export class Follower {
  readonly conn: DbConnection;
  /** What callbacks told after the subscription was applied, one line per change. */
  readonly trace: string[] = [];
  readonly resumedBy: string[] = [];
  readonly outcomes = new Map<string, CallOutcome>();
  /** What callbacks add up to. */
  readonly #mirror = new Map<string, string>();
  #isApplied = false;

  constructor(builder: Builder, queries: readonly string[]) {
    this.conn = builder
      .onConnect((conn) => {
        conn
          .subscriptionBuilder()
          .onApplied(() => (this.#isApplied = true))
          .subscribe([...queries]);
      })
      .onReconnected((_, { resumedBy }) => void this.resumedBy.push(resumedBy))
      .build();
    for (const table of TABLES) this.#watch(table);
    this.conn.db.doorBell.onInsert((_, { text }) => void this.trace.push(`! ${text}`));
  }

  get isApplied(): boolean {
    return this.#isApplied;
  }

  /** Calls and keeps how it ended under `name`. */
  call(name: string, promise: Promise<unknown>): void {
    promise.then(
      () => this.outcomes.set(name, 'done'),
      (error: { readonly code?: string; readonly name: string }) => {
        if (error.name === 'SenderError') this.outcomes.set(name, 'done');
        else if (error.code === 'OUTCOME_UNKNOWN') this.outcomes.set(name, 'unknown');
        else if (error.code === 'DISCONNECTED') this.outcomes.set(name, 'not sent');
        else throw error as Error;
      },
    );
  }

  /** The rows of a table in the cache, as text, sorted. */
  cached(table: (typeof TABLES)[number]): string[] {
    return [...this.conn.db[table].iter()].map((row) => describeRow(row)).toSorted();
  }

  /** What callbacks told adds up to what the cache holds. */
  checkMirror(): void {
    const cached = TABLES.flatMap((table) => this.cached(table).map((row) => `${table} ${row}`));
    expect([...this.#mirror].map(([, row]) => row).toSorted()).toEqual(cached.toSorted());
  }

  #watch(table: (typeof TABLES)[number]): void {
    const view = this.conn.db[table] as unknown as {
      onInsert(callback: (ctx: { readonly event: { readonly tag: string } }, row: Row) => void): void;
      onDelete(callback: (ctx: unknown, row: Row) => void): void;
      onUpdate?(callback: (ctx: unknown, old: Row, row: Row) => void): void;
    };
    view.onInsert(({ event }, row) => {
      const line = `${table} ${describeRow(row)}`;
      expect(this.#mirror.has(keyOf(table, row)), `${line} was told before`).toBe(false);
      this.#mirror.set(keyOf(table, row), line);
      if (event.tag !== 'SubscribeApplied') this.trace.push(`+ ${line}`);
    });
    view.onDelete((_, row) => {
      const line = `${table} ${describeRow(row)}`;
      expect(this.#mirror.get(keyOf(table, row)), `${line} was told before it goes`).toBe(line);
      this.#mirror.delete(keyOf(table, row));
      this.trace.push(`- ${line}`);
    });
    view.onUpdate?.((_, old, row) => {
      const [before, line] = [`${table} ${describeRow(old)}`, `${table} ${describeRow(row)}`];
      expect(this.#mirror.get(keyOf(table, old)), `${before} is what it was`).toBe(before);
      expect(line, 'something changed').not.toBe(before);
      this.#mirror.set(keyOf(table, row), line);
      this.trace.push(`~ ${before} > ${line}`);
    });
  }
}

export function describeRow(row: Row): string {
  return Object.values(row).map(String).join(' ');
}

function keyOf(table: string, row: Row): string {
  if (table === 'message') return `message ${String(row['id'])}`;
  if (table === 'user') return `user ${String(row['identity'])}`;
  return `${table} ${describeRow(row)}`;
}
