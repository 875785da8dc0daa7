/*
 * What a reducer call costs on top of the engine: `npx tsx src/module/host.bench.ts`. The difference of the first two
 * lines is the host's own work: decoding two arguments, the context, the outcome.
 */
import { bench, run } from 'mitata';
import { schema, t, table } from './index.js';
import { client, HostFixture } from './testing/host-fixture.js';

const account = table({}, { id: t.u32().primaryKey(), balance: t.i64() });
const app = schema({ account });
const noop = app.reducer({ from: t.u32(), amount: t.i64() }, () => {});
const transfer = app.reducer({ from: t.u32(), to: t.u32() }, ({ db }, { from, to }) => {
  const source = db.account.id.find(from)!;
  const target = db.account.id.find(to)!;
  db.account.id.update({ id: from, balance: source.balance - 1n });
  db.account.id.update({ id: to, balance: target.balance + 1n });
});
const seed = app.init(({ db }) => {
  for (let id = 0; id < 100_000; id++) db.account.insert({ id, balance: 1000n });
});
const fixture = new HostFixture(app.module({ noop, transfer, seed }));
fixture.host.runInit(client(1n).identity);
const caller = client(7n);
const { host, database } = fixture;
const origin = {
  caller: caller.identity,
  connectionId: caller.connectionId,
  functionName: 'x',
  timestampMicros: 1,
};
const noopArgs = fixture.encode('noop', { from: 1, amount: 5n });
const table_ = database.table('account');
const primary = table_.uniqueIndex('id');
let n = 0;
const transfers = Array.from({ length: 1000 }, (_, i) =>
  fixture.encode('transfer', { from: (i * 7919) % 100_000, to: (i * 104_729 + 1) % 100_000 }),
);

bench('engine: empty transaction', () => database.transact(origin, () => {}));
bench('host: reducer with two arguments and an empty body', () => host.callReducer('noop', caller, noopArgs));
bench('engine: transfer', () => {
  n = (n + 1) % 1000;
  const from = (n * 7919) % 100_000;
  const to = (n * 104_729 + 1) % 100_000;
  return database.transact(origin, () => {
    const source = primary.find(from) as { balance: bigint };
    const target = primary.find(to) as { balance: bigint };
    primary.update({ id: from, balance: source.balance - 1n });
    primary.update({ id: to, balance: target.balance + 1n });
  });
});
bench('host: transfer', () => {
  n = (n + 1) % 1000;
  return host.callReducer('transfer', caller, transfers[n]!);
});
await run();
