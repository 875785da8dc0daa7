import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { Database } from '../../engine/database.js';
import { MemoryLog } from '../../engine/log/commit-log.js';
import type { TransactionScope } from '../../module/effects.js';
import { ModuleHost } from '../../module/host.js';
import { schema } from '../../module/index.js';
import { ModuleLog } from '../../module/logs.js';
import { Identity } from '../../values/identity.js';
import { PendingEffects } from '../pending-effects.js';

/** For sockets of a server without a database: transactions are on no tables, but otherwise what they are elsewhere. */
export function openBareHost(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: TransactionScope;
}): ModuleHost {
  const { clock, random, scope } = options;
  const module = schema({}).module({});
  const log = new MemoryLog();
  const identity = Identity.zero();
  const database = new Database(module.def.schema, { identity, owner: identity, clock, random, log });
  const effects = new PendingEffects(log);
  return new ModuleHost(database, module, {
    log: new ModuleLog({ clock }),
    clock,
    scope,
    onEffects: (offset, asked) => effects.add(offset, asked),
  });
}
