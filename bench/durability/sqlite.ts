import { join } from 'node:path';

import { answerParent } from '../framework/child.js';
import { makeFolder } from './folder.js';
import { runWriters, type WriterOptions, type WriterResult } from './writers.js';

/*
 * better-sqlite3, WAL, synchronous = FULL. Everything that waits is written by one SQLite transaction per turn of the event loop,
 * through prepared statements. The loop stands still meanwhile; that is its nature.
 */

interface SqliteOptions extends WriterOptions {
  /** Whether each insert has a savepoint of its own, so that it can be taken back without the others of its transaction. */
  readonly hasSavepoints: boolean;
}

interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): { run(...values: unknown[]): unknown };
}

async function open(): Promise<SqliteDatabase> {
  // Not a dependency: it has to be compiled. See README.md.
  const name = 'better-sqlite3';
  const { default: Sqlite } = (await import(name)) as { default: new (path: string) => SqliteDatabase };
  const database = new Sqlite(join(makeFolder(), 'bench.sqlite'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, data TEXT NOT NULL)');
  return database;
}

const opened = open();
opened.catch(() => {});

answerParent({
  async measure(options: SqliteOptions): Promise<WriterResult> {
    const database = await opened;
    const [begin, save, release, commit] = ['BEGIN', 'SAVEPOINT one', 'RELEASE one', 'COMMIT'].map((text) =>
      database.prepare(text),
    ) as [Statement, Statement, Statement, Statement];
    const insert = database.prepare('INSERT INTO entry (data) VALUES (?)');
    const data = 'x'.repeat(options.bytes);
    const write = options.hasSavepoints
      ? (): void => {
          save.run();
          insert.run(data);
          release.run();
        }
      : (): void => void insert.run(data);
    return runWriters(options, (acknowledge) => {
      let waiting = 0;
      const flush = (): void => {
        const count = waiting;
        waiting = 0;
        begin.run();
        for (let i = 0; i < count; i++) write();
        commit.run();
        acknowledge(count);
      };
      return () => {
        if (waiting === 0) setImmediate(flush);
        waiting += 1;
      };
    });
  },
});

type Statement = ReturnType<SqliteDatabase['prepare']>;
