import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SimulatedFolders } from '../../test/sim/simulated-folders.js';
import { ManualClock } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import { waitUntilDurable } from '../engine/log/commit-log.js';
import type { Module } from '../module/definition/build-module.js';
import { errors, ScheduleAt, schema, SenderError, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import type { ModuleExport } from '../module/reducer-export.js';
import { Identity } from '../values/identity.js';
import { Timestamp } from '../values/timestamp.js';
import { type ChoraleServer, createServer } from './create-server.js';
import type { HostedDatabase } from './hosted-database.js';

const SECOND = 1_000_000n;

/** Scheduled rows with a label; each run leaves a line. `fails` is read by runs of rows labelled `flaky`. */
function jobsModule(control: { fails: boolean } = { fails: false }): Module {
  const job = table(
    { public: true, scheduled: (): ModuleExport => run },
    { id: t.u64().primaryKey().autoInc(), at: t.scheduleAt(), label: t.string() },
  );
  const line = table(
    { public: true },
    { id: t.u64().primaryKey().autoInc(), label: t.string(), at: t.timestamp(), internal: t.bool() },
  );
  const app = schema({ job, line });
  const run = app.reducer({ row: job.rowType }, (ctx, { row }) => {
    const isInternal = ctx.sender.isEqual(ctx.databaseIdentity) && ctx.connectionId === null;
    ctx.db.line.insert({ id: 0n, label: row.label, at: ctx.timestamp, internal: isInternal });
    if (row.label === 'flaky' && control.fails) throw new SenderError('not yet');
    if (row.label === 'again') {
      ctx.db.job.id.update({
        ...row,
        label: 'last',
        at: ScheduleAt.time(ctx.timestamp.microsSinceUnixEpoch + SECOND),
      });
    }
  });
  const once = app.reducer({ label: t.string(), inMicros: t.i64() }, (ctx, { label, inMicros }) => {
    const at = ScheduleAt.time(ctx.timestamp.microsSinceUnixEpoch + inMicros);
    ctx.db.job.insert({ id: 0n, at, label });
  });
  const every = app.reducer({ label: t.string(), micros: t.i64() }, (ctx, { label, micros }) => {
    ctx.db.job.insert({ id: 0n, at: ScheduleAt.interval(micros), label });
  });
  const cancel = app.reducer((ctx) => void ctx.db.job.clear());
  const retime = app.reducer({ inMicros: t.i64() }, (ctx, { inMicros }) => {
    const at = ScheduleAt.time(ctx.timestamp.microsSinceUnixEpoch + inMicros);
    for (const row of ctx.db.job.iter()) ctx.db.job.id.update({ ...row, at });
  });
  const tooFar = app.reducer((ctx) => {
    const far = ctx.timestamp.microsSinceUnixEpoch + (2n ** 36n - 1n) * 1000n;
    ctx.db.job.insert({ id: 0n, at: ScheduleAt.time(far), label: 'just' });
    try {
      ctx.db.job.insert({ id: 0n, at: ScheduleAt.time(far + 1000n), label: 'too far' });
    } catch (error) {
      if (error instanceof errors.ScheduleAtDelayTooLong) throw new SenderError(`errno ${error.errno}`);
      throw error;
    }
  });
  return loadModule({ default: app, run, once, every, cancel, retime, tooFar });
}

describe('scheduled tables', () => {
  let clock: ManualClock;
  let folders: SimulatedFolders;
  let servers: ChoraleServer[];
  let control: { fails: boolean };
  let startMicros: number;

  beforeEach(() => {
    clock = new ManualClock();
    startMicros = clock.nowMicros();
    folders = new SimulatedFolders();
    servers = [];
    control = { fails: false };
  });

  afterEach(async () => {
    for (const server of servers) await server.close({ drainMs: 0 }).catch(() => {});
  });

  async function start(): Promise<HostedDatabase> {
    const server = await createServer({
      clock,
      folders,
      databases: { jobs: jobsModule(control) },
      onNotice: () => {},
    });
    servers.push(server);
    return server.database('jobs')!;
  }

  async function restart(): Promise<HostedDatabase> {
    await servers.at(-1)!.close({ drainMs: 0 });
    return start();
  }

  function call(database: HostedDatabase, name: string, ...args: unknown[]): string {
    const caller = { identity: database.owner, connectionId: undefined, tokenPayload: undefined };
    const outcome = database.host.callReducerJson(name, caller, JSON.stringify(args));
    return outcome.kind === 'committed' ? outcome.kind : `${outcome.kind} ${outcome.message}`;
  }

  /** `label@seconds since the start` of each run. */
  function runs(database: HostedDatabase): string[] {
    return database.database
      .table('line')
      .rows()
      .map(({ label, at }) => {
        const micros = (at as { microsSinceUnixEpoch: bigint }).microsSinceUnixEpoch;
        return `${String(label)}@${(Number(micros) - startMicros) / 1e6}`;
      });
  }

  const jobs = (database: HostedDatabase): string[] =>
    database.database
      .table('job')
      .rows()
      .map(({ label }) => String(label));

  it('a row runs once, at its time, as the database itself, and is gone in the same transaction', async () => {
    const database = await start();
    call(database, 'once', 'a', 2_000_000);
    clock.advance(1999);
    expect(runs(database)).toEqual([]);
    const before = database.log.lastOffset;
    clock.advance(1);
    expect([runs(database), jobs(database), database.log.lastOffset - before]).toEqual([['a@2'], [], 1]);
    expect(database.database.table('line').rows()[0]!['internal']).toBe(true);
  });

  it('rows run in the order of their times, whatever the order they came in', async () => {
    const database = await start();
    for (const [label, seconds] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
      ['late', -5],
    ] as const) {
      call(database, 'once', label, seconds * 1e6);
    }
    clock.advance(5000);
    expect(runs(database)).toEqual(['late@0', 'a@1', 'b@2', 'c@3']);
  });

  it('an interval keeps its beat: no drift, and ticks that were missed are left out', async () => {
    const database = await start();
    call(database, 'every', 'tick', 1_000_000);
    clock.advance(2500);
    // The process stood still for a while: the timer comes late.
    clock.setWallTime(clock.nowMicros() + 3_700_000);
    clock.advance(1900);
    expect(runs(database)).toEqual(['tick@1', 'tick@2', 'tick@6.7', 'tick@7', 'tick@8']);
  });

  it('deleting a row cancels it, updating it gives it another time', async () => {
    const database = await start();
    call(database, 'once', 'a', 1_000_000);
    call(database, 'retime', 3_000_000);
    clock.advance(2000);
    expect(runs(database)).toEqual([]);
    clock.advance(1000);
    expect(runs(database)).toEqual(['a@3']);
    call(database, 'once', 'b', 1_000_000);
    call(database, 'cancel');
    clock.advance(5000);
    expect(runs(database)).toEqual(['a@3']);
  });

  it('a run that gives its own row another time is run again then', async () => {
    const database = await start();
    call(database, 'once', 'again', 1_000_000);
    clock.advance(10_000);
    expect([runs(database), jobs(database)]).toEqual([['again@1', 'last@2'], []]);
  });

  it('a run that fails leaves nothing but its row, and is tried again later and later', async () => {
    const database = await start();
    control.fails = true;
    call(database, 'once', 'flaky', 1_000_000);
    clock.advance(1000 + 1000 + 2000);
    expect([runs(database), jobs(database)]).toEqual([[], ['flaky']]);
    const key = String(database.database.table('job').rows()[0]!['id']);
    expect(database.database.schedules.get('job', key)).toMatchObject({ attempts: 3, lastError: 'not yet' });
    control.fails = false;
    clock.advance(4000);
    expect([runs(database), jobs(database)]).toEqual([['flaky@8'], []]);
    expect(database.moduleLog.tail().map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/attempt 3 failed \(not yet\); it is tried again in 4 s/),
    );
  });

  it('after ten failures it stays for inspection, also over a restart, until it is updated', async () => {
    let database = await start();
    control.fails = true;
    call(database, 'once', 'flaky', 0);
    clock.advance(3_600_000);
    database = await restart();
    clock.advance(3_600_000);
    expect(jobs(database)).toEqual(['flaky']);
    expect(database.moduleLog.tail().map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/waits for inspection after 10 attempts: not yet/),
    );
    control.fails = false;
    call(database, 'retime', 0);
    clock.advance(1);
    expect(jobs(database)).toEqual([]);
  });

  it('SQL shows its owner what failed, how often and why, also over a restart, until it succeeds', async () => {
    let database = await start();
    const failures = (isOwner = true): unknown =>
      database.query('SELECT * FROM st_scheduled_failure', { identity: database.owner, isOwner }).rows;
    const at = (seconds: number): Timestamp => new Timestamp(BigInt(startMicros) + BigInt(seconds) * SECOND);
    control.fails = true;
    call(database, 'once', 'flaky', 1_000_000);
    call(database, 'once', 'fine', 1_000_000);
    expect(failures()).toEqual([]);
    clock.advance(1000 + 1000);
    const row = ['job', 1n, 2, 'not yet', at(1), at(4), false];
    expect(failures()).toEqual([row]);
    expect(() => failures(false)).toThrow(/no such table: `st_scheduled_failure`/);
    database = await restart();
    expect(failures()).toEqual([row]);
    clock.advance(3_600_000);
    expect(failures()).toEqual([['job', 1n, 10, 'not yet', at(1), expect.anything(), true]]);
    control.fails = false;
    call(database, 'retime', 0);
    clock.advance(1);
    expect(failures()).toEqual([]);
  });

  it('an interval that fails is tried at its next ticks, for ever', async () => {
    const database = await start();
    control.fails = true;
    call(database, 'every', 'flaky', 1_000_000);
    clock.advance(60_000_000);
    control.fails = false;
    clock.advance(700_000);
    expect(runs(database).length).toBeGreaterThan(10);
  });

  it('a delay of more than 2.18 years is error 13', async () => {
    const database = await start();
    expect(call(database, 'too_far')).toBe('refused errno 13');
  });

  it('after a restart rows run on: what was due meanwhile at once, intervals on their old beat', async () => {
    let database = await start();
    call(database, 'every', 'tick', 10_000_000);
    call(database, 'once', 'a', 12_000_000);
    clock.advance(11_000);
    await servers.at(-1)!.close({ drainMs: 0 });
    clock.advance(4000);
    database = await start();
    clock.advance(6000);
    expect(runs(database)).toEqual(['tick@10', 'a@15', 'tick@20']);
  });

  it('clients cannot call the function of a scheduled table', async () => {
    const database = await start();
    const stranger = { identity: new Identity(99n), connectionId: undefined, tokenPayload: undefined };
    const outcome = database.host.callReducerJson('run', stranger, '[]');
    expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringMatching(/no such reducer/) });
  });

  it('a clock that is set back neither stops intervals nor runs anything twice', async () => {
    const database = await start();
    call(database, 'every', 'tick', 1_000_000);
    call(database, 'once', 'a', 1_500_000);
    clock.advance(1600);
    clock.setWallTime(clock.nowMicros() - 86_400_000_000);
    // Noticed within a minute.
    clock.advance(62_000);
    const labels = runs(database).map((run) => run.split('@')[0]);
    expect(labels.filter((label) => label === 'a')).toEqual(['a']);
    expect(labels.filter((label) => label === 'tick').length).toBeGreaterThan(2);
  });

  it('over power cuts at random moments each row runs exactly once with respect to what is kept', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      folders = new SimulatedFolders();
      const random = seededRandom(seed);
      let database = await start();
      await waitUntilDurable(database.log);
      const promised = new Set<string>();
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 4; i++) {
          const label = `${round}.${i}`;
          call(database, 'once', label, Math.floor(random.nextFloat() * 4e6));
          if (random.nextFloat() < 0.6) {
            await waitUntilDurable(database.log);
            promised.add(label);
          }
          clock.advance(Math.floor(random.nextFloat() * 1500));
          if (random.nextFloat() < 0.3) await Promise.resolve();
        }
        folders.only.cutPower(() => random.nextFloat());
        database = await start();
      }
      clock.advance(10_000);
      const labels = runs(database).map((run) => run.split('@')[0]!);
      expect(labels.length, `seed ${seed}: one run each`).toBe(new Set(labels).size);
      expect(
        [...promised].filter((label) => !labels.includes(label)),
        `seed ${seed}: all run`,
      ).toEqual([]);
      expect(jobs(database)).toEqual([]);
    }
  });
});
