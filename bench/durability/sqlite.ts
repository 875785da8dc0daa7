import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { answerParent } from '../framework/child.js';
import type { LoadResult } from '../framework/messages.js';
import { runWriters, type WriterOptions } from './writers.js';

/*
 * better-sqlite3, WAL, synchronous = FULL. Its best case: everything that waits is written by one SQLite transaction per turn
 * of the event loop, through one prepared statement. The loop stands still meanwhile; that is its nature.
 */

interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): { run(...values: unknown[]): unknown };
  close(): void;
}

const folder = mkdtempSync(join(tmpdir(), 'chorale-durability-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function open(): Promise<SqliteDatabase> {
  // Not a dependency: it has to be compiled. See README.md.
  const name = 'better-sqlite3';
  const { default: Sqlite } = (await import(name)) as { default: new (path: string) => SqliteDatabase };
  const database = new Sqlite(join(folder, 'bench.sqlite'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE entry (id INTEGER PRIMARY KEY, data TEXT NOT NULL)');
  return database;
}

const opened = open();
opened.catch(() => {});

answerParent({
  async measure(options: WriterOptions): Promise<LoadResult> {
    const database = await opened;
    const insert = database.prepare('INSERT INTO entry (data) VALUES (?)');
    const begin = database.prepare('BEGIN');
    const commit = database.prepare('COMMIT');
    const data = 'x'.repeat(options.bytes);
    let waiting: (() => void)[] = [];
    const flush = (): void => {
      const done = waiting;
      waiting = [];
      begin.run();
      for (let i = 0; i < done.length; i++) insert.run(data);
      commit.run();
      for (const each of done) each();
    };
    return runWriters(options, (done) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(done);
    });
  },
});
