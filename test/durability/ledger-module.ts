import type { Module } from '../../src/module/definition/build-module.js';
import { ScheduleAt, schema, SenderError, t, table } from '../../src/module/index.js';
import type { InferSchema, ReducerCtx } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';
import type { ModuleExport } from '../../src/module/reducer-export.js';

/*
 * A module that makes loss, repetition and half transactions visible: each `put` adds a line and counts it in the same
 * transaction, and nothing stops the same key from being there twice.
 */

const entry = table(
  { name: 'entry', public: true },
  { id: t.u64().primaryKey().autoInc(), key: t.string().index('btree') },
);
const total = table({ name: 'total', public: true }, { name: t.string().primaryKey(), value: t.u32() });
const later = table(
  { scheduled: (): ModuleExport => putDue },
  { id: t.u64().primaryKey().autoInc(), at: t.scheduleAt(), key: t.string() },
);
const app = schema({ entry, total, later });
type Context = ReducerCtx<InferSchema<typeof app>>;

function add(ctx: Context, key: string): void {
  ctx.db.entry.insert({ id: 0n, key });
  const row = ctx.db.total.name.find('puts');
  if (row === null) ctx.db.total.insert({ name: 'puts', value: 1 });
  else ctx.db.total.name.update({ ...row, value: row.value + 1 });
}

const put = app.reducer({ key: t.string() }, (ctx, { key }) => add(ctx, key));

/** The same for keys that are not there: a refusal tells of the line that is. */
const putOnce = app.reducer({ key: t.string() }, (ctx, { key }) => {
  for (const _line of ctx.db.entry.key.filter(key)) throw new SenderError(`${key} is there already`);
  add(ctx, key);
});

/** The same in a while: the line appears when it is due. */
const putLater = app.reducer({ key: t.string(), micros: t.u32() }, (ctx, { key, micros }) => {
  const at = ScheduleAt.time(ctx.timestamp.microsSinceUnixEpoch + BigInt(micros));
  ctx.db.later.insert({ id: 0n, at, key });
});

const putDue = app.reducer({ row: later.rowType }, (ctx, { row }) => add(ctx, row.key));

export function ledgerModule(): Module {
  return loadModule({ default: app, put, putOnce, putLater, putDue });
}
