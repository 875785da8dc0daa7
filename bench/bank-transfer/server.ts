import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadModule } from '../../src/module/load-module.js';
import { createServer } from '../../src/server/create-server.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { answerParent } from '../framework/child.js';
import * as bank from './module.js';

let server: ChoraleServer | undefined;

/** What the database holds at the end, for the benchmark to check. */
export interface Audit {
  readonly accounts: number;
  /** A bigint does not pass through JSON. */
  readonly total: string;
  readonly transactions: number;
}

answerParent({
  async start({ isDurable = false }: { readonly isDurable?: boolean }) {
    const folder = isDurable ? mkdtempSync(join(tmpdir(), 'chorale-bank-')) : undefined;
    if (folder !== undefined) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    server = await createServer({
      databases: { bank: loadModule(bank) },
      ...(folder === undefined ? {} : { dataDirectory: folder }),
    });
    return { url: server.url };
  },
  audit(): Audit {
    const database = server!.database('bank')!.database;
    let total = 0n;
    let accounts = 0;
    for (const row of database.table('account').rows()) {
      total += row['balance'] as bigint;
      accounts++;
    }
    return { accounts, total: String(total), transactions: Number(database.log.lastOffset) };
  },
});
