import { ACCOUNTS, INITIAL_BALANCE } from './accounts.js';
import { schema, SenderError, t, table } from '../../src/module/index.js';

/*
 * "bank-transfer/1": accounts that hold the same, and transfers of 1 between two of them. Every answer waits for its commit
 * in the log, which is in memory here.
 */

const account = table({ name: 'account', public: true }, { id: t.u32().primaryKey(), balance: t.i64() });

const app = schema({ account });
export default app;

export const init = app.init((ctx) => {
  for (let id = 0; id < ACCOUNTS; id++) ctx.db.account.insert({ id, balance: INITIAL_BALANCE });
});

export const transfer = app.reducer(
  { from: t.u32(), to: t.u32(), amount: t.i64() },
  (ctx, { from, to, amount }) => {
    const { id } = ctx.db.account;
    const source = id.find(from);
    const target = id.find(to);
    if (!source || !target || from === to) throw new SenderError('a transfer is between two accounts');
    if (source.balance < amount) throw new SenderError('not enough money');
    id.update({ id: from, balance: source.balance - amount });
    id.update({ id: to, balance: target.balance + amount });
  },
);
