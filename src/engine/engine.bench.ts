/*
 * npx tsx src/engine/engine.bench.ts
 *
 * Transfers between two of 100,000 accounts: two reads by primary key, two updates, deltas, rows encoded, log told.
 * No dispatch, no network, no disk.
 */
import { primitiveType } from '../values/algebraic-type.js';
import { IDENTITY_TYPE } from '../values/special-types.js';
import { Identity } from '../values/identity.js';
import { seededRandom } from '../base/random.js';
import type { Row } from './contract.js';
import { Database } from './database.js';
import { RecordingLog, schemaOf, TEST_ORIGIN, testOptions } from './testing/table-def.js';
import type { UniqueIndex } from './tables/indexes.js';

const u64 = primitiveType('u64');
const ROUNDS = 5;
const TRANSFERS = 300_000;

interface Account extends Row {
  readonly id: bigint | number;
  readonly balance: bigint;
}

function transfers(database: Database, accounts: number, idOf: (n: number) => Account['id']): number {
  const account = database.table('account');
  const byId = account.indexes.get('id') as UniqueIndex;
  const random = seededRandom(7);
  const start = performance.now();
  for (let i = 0; i < TRANSFERS; i++) {
    const from = idOf(random.nextUint32() % accounts);
    const to = idOf(random.nextUint32() % accounts);
    database.transact(TEST_ORIGIN, () => {
      const a = byId.find(from) as Account;
      const b = byId.find(to) as Account;
      if (from === to) return;
      byId.update({ ...a, balance: a.balance - 1n });
      byId.update({ ...b, balance: b.balance + 1n });
    });
  }
  return TRANSFERS / (performance.now() - start);
}

function report(name: string, figures: number[]): void {
  const sorted = figures.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  process.stdout.write(
    `${name.padEnd(44)} ${median.toFixed(0).padStart(6)}k tx/s  ${(1000 / median).toFixed(2)} us\n`,
  );
}

function bank(accounts: number, wide: boolean): void {
  const database = new Database(
    schemaOf({
      account: {
        columns: wide
          ? { id: u64, owner: IDENTITY_TYPE, name: primitiveType('string'), balance: u64 }
          : { id: u64, balance: u64 },
        primaryKey: 'id',
        ...(wide ? { indexes: [['btree', 'owner'] as const] } : {}),
      },
    }),
    testOptions(),
  );
  const account = database.table('account');
  const start = performance.now();
  database.transact(TEST_ORIGIN, () => {
    for (let n = 0; n < accounts; n++) {
      const id = BigInt(n);
      account.insert(
        wide ? { id, owner: new Identity(id), name: `account ${n}`, balance: 1000n } : { id, balance: 1000n },
      );
    }
  });
  const perRow = ((performance.now() - start) * 1000) / accounts;
  const name = `${accounts} accounts${wide ? ', four columns, owner indexed' : ''}`;
  process.stdout.write(`${`fill ${name}`.padEnd(44)} ${perRow.toFixed(2)} us/row\n`);
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round++) figures.push(transfers(database, accounts, BigInt));
  report(`transfer ${name}`, figures);
}

/** What recovery does with logged transfers: decode, find, take out, put in. */
function replay(accounts: number): void {
  const schema = schemaOf({ account: { columns: { id: u64, balance: u64 }, primaryKey: 'id' } });
  const log = new RecordingLog();
  const database = new Database(schema, testOptions(log));
  const account = database.table('account');
  database.transact(TEST_ORIGIN, () => {
    for (let n = 0; n < accounts; n++) account.insert({ id: BigInt(n), balance: 1000n });
  });
  transfers(database, accounts, BigInt);
  const restored = new Database(schema, testOptions());
  const start = performance.now();
  for (const record of log.records) restored.applyChanges(record);
  report(`replay of transfers, ${accounts} accounts`, [log.records.length / (performance.now() - start)]);
}

bank(1000, false);
bank(100_000, false);
bank(100_000, true);
replay(100_000);
