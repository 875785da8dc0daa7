import { ManualClock } from '../../base/clock.js';
import { seededRandom } from '../../base/random.js';
import { Database } from '../../engine/database.js';
import { MemoryLog } from '../../engine/log/commit-log.js';
import { compileCodec, encodeToBytes } from '../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../values/identity.js';
import type { Module } from '../definition/build-module.js';
import { ModuleHost } from '../host.js';
import { ModuleLog } from '../logs.js';
import type { Caller, ReducerOutcome } from '../module-def.js';

export const OWNER = new Identity(1n);
export const DATABASE = new Identity(2n);

/** A module on a database in memory, with time standing still. */
export class HostFixture {
  readonly clock = new ManualClock();
  readonly log: ModuleLog;
  readonly database: Database;
  readonly host: ModuleHost;

  constructor(module: Module, log?: ModuleLog) {
    this.log = log ?? new ModuleLog({ clock: this.clock });
    this.database = new Database(module.def.schema, {
      identity: DATABASE,
      owner: OWNER,
      clock: this.clock,
      random: seededRandom(1),
      log: new MemoryLog(),
    });
    this.host = this.hostOf(module);
  }

  /** Another module on the same database. */
  hostOf(module: Module): ModuleHost {
    return new ModuleHost(this.database, module, { log: this.log, clock: this.clock });
  }

  call(name: string, args: unknown = {}, caller: Caller = client(10n)): ReducerOutcome {
    return this.host.callReducer(name, caller, this.encode(name, args));
  }

  encode(name: string, args: unknown): Uint8Array {
    const reducer = this.host.def.reducers.find((one) => one.name === name);
    if (reducer === undefined) return new Uint8Array(0);
    return encodeToBytes(compileCodec(reducer.params, this.host.def.schema.typespace), args);
  }

  rows(table: string): unknown[] {
    return this.database.table(table).rows();
  }

  messages(): string[] {
    return this.log.tail().map((entry) => `${entry.level} ${entry.message}`);
  }
}

export function client(id: bigint, tokenPayload?: string): Caller {
  return { identity: new Identity(id), connectionId: new ConnectionId(id), tokenPayload };
}
