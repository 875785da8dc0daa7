import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { Database } from '../../src/engine/database.js';
import { LiveQueries } from '../../src/engine/live/live-queries.js';
import { MemoryLog } from '../../src/engine/log/commit-log.js';
import type { TailLimits } from '../../src/engine/log/record-tail.js';
import { runSql } from '../../src/engine/sql/select.js';
import type { Module } from '../../src/module/definition/build-module.js';
import { ModuleHost } from '../../src/module/host.js';
import { ModuleLog } from '../../src/module/logs.js';
import { Delivery } from '../../src/protocols/spacetimedb/server/delivery.js';
import type { FlushScheduler } from '../../src/protocols/spacetimedb/server/delivery.js';
import type { DatabaseRuntime, OpenSession } from '../../src/protocols/spacetimedb/server/runtime.js';
import { Identity } from '../../src/values/identity.js';

/** A module that runs in memory, as the protocol's server sees it. */
export function runModule(
  module: Module,
  owner: Identity,
  schedule: FlushScheduler,
  recentLimits?: TailLimits,
): DatabaseRuntime & { readonly live: LiveQueries } {
  const identity = new Identity(0xda7aba5en);
  const log = new MemoryLog();
  const moduleLog = new ModuleLog({ clock: systemClock });
  const options = { identity, owner, clock: systemClock, random: systemRandom, log };
  const database = new Database(module.def.schema, options);
  const live = new LiveQueries(database, recentLimits === undefined ? {} : { recentLimits });
  const host = new ModuleHost(database, module, { log: moduleLog, clock: systemClock });
  host.runInit(owner);
  return {
    identity,
    owner,
    names: ['conformance'],
    programHash: '00'.repeat(32),
    live,
    host,
    log,
    moduleLog,
    clock: systemClock,
    query: (sql, viewer) => runSql(database, sql, viewer),
    delivery: new Delivery(log, schedule),
    sessions: new Set<OpenSession>(),
  };
}
