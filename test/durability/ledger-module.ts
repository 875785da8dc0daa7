import type { Module } from '../../src/module/definition/build-module.js';
import { schema, t, table } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';

/*
 * A module that makes loss, repetition and half transactions visible: each `put` adds a line and counts it in the same
 * transaction, and nothing stops the same key from being there twice.
 */

const entry = table({ name: 'entry', public: true }, { id: t.u64().primaryKey().autoInc(), key: t.string() });
const total = table({ name: 'total', public: true }, { name: t.string().primaryKey(), value: t.u32() });
const app = schema({ entry, total });

const put = app.reducer({ key: t.string() }, (ctx, { key }) => {
  ctx.db.entry.insert({ id: 0n, key });
  const row = ctx.db.total.name.find('puts');
  if (row === null) ctx.db.total.insert({ name: 'puts', value: 1 });
  else ctx.db.total.name.update({ ...row, value: row.value + 1 });
});

export function ledgerModule(): Module {
  return loadModule({ default: app, put });
}
