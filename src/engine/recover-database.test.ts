import { describe, expect, it } from 'vitest';

import { seededRandom } from '../base/random.js';
import { primitiveType } from '../values/algebraic-type.js';
import { ConnectionId, Identity } from '../values/identity.js';
import type { SectionKeeper } from './contract.js';
import { Database } from './database.js';
import { waitUntilDurable } from './log/commit-log.js';
import { checkReach, cutLogAfter } from './log/cut-log.js';
import { recoverLog } from './log/recovery.js';
import { SimulatedDisk } from './log/simulated-disk.js';
import { listSnapshots, readSnapshotTime } from './log/snapshot-file.js';
import { connectionSection } from './open-connections.js';
import { programSection, recoverDatabase, type RecoveredDatabase } from './recover-database.js';
import type { DatabaseSchema } from './schema.js';
import { Snapshotter } from './snapshotter.js';
import { schemaOf, tableDef, TEST_ORIGIN, testOptions } from './testing/table-def.js';

const databaseKey = new Identity(1n).key;
const program = new TextEncoder().encode('program 1');
const schema = schemaOf({
  account: {
    columns: { id: primitiveType('u64'), owner: primitiveType('string'), balance: primitiveType('i64') },
    primaryKey: 'id',
    autoInc: 'id',
    unique: [['owner']],
  },
});

async function recover(disk: SimulatedDisk): Promise<RecoveredDatabase | undefined> {
  return recoverDatabase(disk.mount(), {
    databaseKey,
    segmentBytesMax: 2000,
    build: async () => new Database(schema, testOptions()),
  });
}

/** A database that has just been created on an empty disk. */
async function create(disk: SimulatedDisk): Promise<RecoveredDatabase> {
  expect(await recover(disk)).toBeUndefined();
  const { log, epoch } = await recoverLog(disk.mount(), {
    databaseKey,
    segmentBytesMax: 2000,
    apply: () => {},
  });
  const database = new Database(schema, testOptions());
  database.log = log;
  database.transact(TEST_ORIGIN, () => database.addSection(programSection(program, true)));
  return {
    database,
    program,
    log,
    epoch,
    torn: undefined,
    snapshotOffset: 0,
    damagedSnapshots: [],
    replayedCount: 0,
  };
}

function put(database: Database, owner: string, balance = 1n): void {
  database.transact(TEST_ORIGIN, () => database.table('account').insert({ id: 0n, owner, balance }));
}

function accounts(database: Database): string[] {
  return database
    .table('account')
    .rows()
    .map(({ id, owner, balance }) => `${id as bigint} ${owner as string} ${balance as bigint}`)
    .toSorted();
}

function snapshotter(
  disk: SimulatedDisk,
  opened: RecoveredDatabase,
  time: { retainMs: number; nowMs: () => number } = { retainMs: 0, nowMs: () => 0 },
): Snapshotter {
  return new Snapshotter(disk.mount(), {
    databaseKey,
    epoch: opened.epoch,
    sections: () => [programSection(opened.program, true)],
    pause: async () => {},
    ...time,
  });
}

describe('recovery of a database', () => {
  it('rows, program and sequences come back from the log alone', async () => {
    const disk = new SimulatedDisk();
    const { database, log } = await create(disk);
    put(database, 'ada');
    put(database, 'bob');
    database.transact(TEST_ORIGIN, () =>
      database.table('account').update({ id: 1n, owner: 'ada', balance: 7n }),
    );
    await log.close();
    const again = (await recover(disk))!;
    expect(new TextDecoder().decode(again.program)).toBe('program 1');
    expect(accounts(again.database)).toEqual(['1 ada 7', '2 bob 1']);
    put(again.database, 'cyd');
    // A block of values was promised before; those that were not used are a gap.
    expect(accounts(again.database)[2]).toMatch(/^409\d cyd 1$/);
  });

  it('a snapshot and the log behind it give the same rows, and old segments go', async () => {
    const disk = new SimulatedDisk();
    const opened = await create(disk);
    const shots = snapshotter(disk, opened);
    for (let i = 0; i < 300; i++) {
      put(opened.database, `owner ${i}`);
      if (i % 10 === 0) await waitUntilDurable(opened.log);
      if (i === 150 || i === 250) await shots.take(opened.database);
    }
    const before = accounts(opened.database);
    await opened.log.close();
    expect(disk.list().toSorted()[0]).not.toBe('00000000000000000001.log');
    const again = (await recover(disk))!;
    expect(accounts(again.database)).toEqual(before);
    expect([again.snapshotOffset, again.replayedCount]).toEqual([252, 49]);
  });

  it('without retention the folder follows the data, not its history', async () => {
    const sizeAfter = async (updates: number): Promise<number> => {
      const disk = new SimulatedDisk();
      const opened = await create(disk);
      const shots = snapshotter(disk, opened);
      for (let i = 0; i < 20; i++) put(opened.database, `owner ${i}`);
      for (let i = 0; i < updates; i++) {
        const row = { id: BigInt(1 + (i % 20)), owner: `owner ${i % 20}`, balance: BigInt(i) };
        opened.database.transact(TEST_ORIGIN, () => opened.database.table('account').update(row));
        if (i % 10 === 0) await waitUntilDurable(opened.log);
        if (i % 50 === 49) await shots.take(opened.database);
      }
      return disk.list().reduce((sum, name) => sum + disk.contentOf(name).length, 0);
    };
    const [short, long] = [await sizeAfter(200), await sizeAfter(4000)];
    // Two snapshots and the log behind the older one, whatever was before.
    expect(long).toBeLessThan(1.3 * short);
  });

  it('with retention the past stays as long as was asked, and no longer', async () => {
    const disk = new SimulatedDisk();
    const opened = await create(disk);
    let nowMs = 1000;
    const shots = snapshotter(disk, opened, { retainMs: 100, nowMs: () => nowMs });
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 10; j++) put(opened.database, `owner ${i} ${j}`);
      await waitUntilDurable(opened.log);
      nowMs += 10;
      await shots.take(opened.database);
    }
    const offsets = await listSnapshots(disk.mount());
    const ages = await Promise.all(
      offsets.map(async (offset) => nowMs - (await readSnapshotTime(disk.mount(), offset))),
    );
    // Eleven to go back 100 ms, the oldest being what the first of those moments is reached from.
    expect(ages).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    await expect(checkReach(disk.mount(), databaseKey, offsets.at(-1)!)).resolves.toBeUndefined();
    await expect(checkReach(disk.mount(), databaseKey, offsets.at(-1)! + 3)).resolves.toBeUndefined();
    await expect(checkReach(disk.mount(), databaseKey, 5)).rejects.toThrow(/--retain 7d/);
    await cutLogAfter(disk.mount(), offsets.at(-1)! + 3);
    expect(accounts((await recover(disk))!.database)).toHaveLength(303);
  });

  it('a damaged snapshot is passed over for the one before it', async () => {
    const disk = new SimulatedDisk();
    const opened = await create(disk);
    const shots = snapshotter(disk, opened);
    for (const owner of ['ada', 'bob', 'cyd']) {
      put(opened.database, owner);
      await shots.take(opened.database);
    }
    await opened.log.close();
    const newest = disk
      .list()
      .toSorted()
      .findLast((name) => name.endsWith('.snapshot'))!;
    disk.contentOf(newest)[100]! ^= 1;
    const again = (await recover(disk))!;
    expect(accounts(again.database)).toHaveLength(3);
    expect(again.damagedSnapshots).toHaveLength(1);
  });

  it('a snapshot that fails at any of its steps, or dies there, harms nothing', async () => {
    for (const isKilled of [false, true]) {
      for (let step = 1; ; step++) {
        const disk = new SimulatedDisk();
        const opened = await create(disk);
        put(opened.database, 'ada');
        await waitUntilDurable(opened.log);
        let left = step;
        disk.faults.beforeOperation = () => {
          if (--left !== 0) return;
          if (isKilled) disk.kill();
          throw new Error('ENOSPC: no space left on device');
        };
        const failed = await snapshotter(disk, opened)
          .take(opened.database)
          .then(
            () => false,
            () => true,
          );
        disk.faults = {};
        if (isKilled) disk.cutPower(() => 0.5);
        else {
          put(opened.database, 'bob');
          await opened.log.close();
        }
        const again = (await recover(disk))!;
        expect(accounts(again.database), `step ${step}`).toHaveLength(isKilled ? 1 : 2);
        expect(disk.list().filter((name) => name.endsWith('.tmp'))).toEqual([]);
        if (!failed) break;
      }
    }
  });

  it('a snapshot holds nothing that is not on disk in the log: when that fails, there is none', async () => {
    const disk = new SimulatedDisk();
    const opened = await create(disk);
    put(opened.database, 'ada');
    await waitUntilDurable(opened.log);
    disk.faults.beforeOperation = (operation, name) => {
      if (operation === 'write' && name.endsWith('.log')) throw new Error('EIO: i/o error, fsync');
    };
    put(opened.database, 'bob');
    await expect(snapshotter(disk, opened).take(opened.database)).rejects.toThrow(/EIO/);
    disk.faults = {};
    disk.kill();
    expect(accounts((await recover(disk))!.database)).toHaveLength(1);
  });

  it('a damaged end of the log that a snapshot covers is no loss, and the log goes on in a new segment', async () => {
    const disk = new SimulatedDisk();
    const opened = await create(disk);
    put(opened.database, 'ada');
    await snapshotter(disk, opened).take(opened.database);
    await opened.log.close();
    const bytes = disk.contentOf('00000000000000000001.log');
    bytes[bytes.length - 1]! ^= 1;
    const again = (await recover(disk))!;
    put(again.database, 'bob');
    await again.log.close();
    expect(accounts((await recover(disk))!.database)).toHaveLength(2);
  });

  it('a program that begins anew empties the tables', async () => {
    const disk = new SimulatedDisk();
    const { database, log } = await create(disk);
    put(database, 'ada');
    const next = new Database(schema, testOptions());
    next.log = log;
    next.transact(TEST_ORIGIN, () =>
      next.addSection(programSection(new TextEncoder().encode('program 2'), true)),
    );
    await log.close();
    const again = (await recover(disk))!;
    expect([accounts(again.database), new TextDecoder().decode(again.program)]).toEqual([[], 'program 2']);
  });

  it('a program that adds a table keeps the rows of the others, from the log and from a snapshot', async () => {
    const more = { columns: { id: primitiveType('u32') }, primaryKey: 'id' };
    const grown: DatabaseSchema = {
      ...schema,
      tables: [tableDef('fresh', more, 1), ...schema.tables],
      typespace: { types: [...schema.typespace.types, tableDef('fresh', more).rowType] },
    };
    const open = (disk: SimulatedDisk): Promise<RecoveredDatabase | undefined> => {
      const schemaNow = (bytes: Uint8Array): DatabaseSchema =>
        new TextDecoder().decode(bytes) === 'program 2' ? grown : schema;
      return recoverDatabase(disk.mount(), {
        databaseKey,
        build: async (bytes) => new Database(schemaNow(bytes), testOptions()),
        follow: async (bytes, database) => database.replaceSchema(schemaNow(bytes)),
      });
    };
    const disk = new SimulatedDisk();
    const { database, log } = await create(disk);
    put(database, 'ada');
    const second = new TextEncoder().encode('program 2');
    database.transact(TEST_ORIGIN, () => database.addSection(programSection(second, false)));
    database.replaceSchema(grown);
    database.transact(TEST_ORIGIN, () => database.table('fresh').insert({ id: 7 }));
    put(database, 'bob');
    await log.close();
    for (const from of ['the log', 'a snapshot']) {
      const again = (await open(disk))!;
      expect(accounts(again.database), from).toHaveLength(2);
      expect([...again.database.table('fresh')]).toEqual([{ id: 7 }]);
      expect(again.database.schema.tables.map(({ name }) => name)).toEqual(['fresh', 'account']);
      await snapshotter(disk, again).take(again.database);
      await again.log.close();
    }
    expect((await open(disk))!.replayedCount).toBe(0);
  });

  it('connections that were open are known, those that ended are not', async () => {
    const disk = new SimulatedDisk();
    const { database, log } = await create(disk);
    const connection = (n: bigint) => ({ identity: new Identity(n), connectionId: new ConnectionId(n) });
    for (const n of [5n, 6n]) {
      database.transact(TEST_ORIGIN, () =>
        database.addSection(connectionSection('connected', connection(n))),
      );
    }
    database.transact(TEST_ORIGIN, () =>
      database.addSection(connectionSection('disconnected', connection(5n))),
    );
    await log.close();
    const { openConnections } = (await recover(disk))!.database;
    expect(openConnections.list().map(({ connectionId }) => connectionId.__connection_id__)).toEqual([6n]);
  });

  it('a segment whose name a killed process had not synced is not lost to a power cut after it was written on', async () => {
    const disk = new SimulatedDisk();
    const first = await create(disk);
    disk.faults.beforeOperation = (operation) => {
      if (operation === 'syncFolder') throw new Error('EIO: i/o error, fsync');
    };
    put(first.database, 'ada');
    await expect(waitUntilDurable(first.log)).rejects.toThrow(/EIO/);
    disk.faults = {};
    // The process dies, the system lives on: the new segment is there, but its name is not on disk.
    disk.kill();
    expect(disk.list()).toHaveLength(1);
    const { log } = await recoverLog(disk.mount(), { databaseKey, apply: () => {} });
    const next = new Database(schema, testOptions());
    next.log = log;
    next.transact(TEST_ORIGIN, () => next.addSection(programSection(program, true)));
    put(next, 'bob');
    await waitUntilDurable(log);
    disk.cutPower(() => 0);
    expect(accounts((await recover(disk))!.database)).toHaveLength(1);
  });

  it.each([0, 1])(
    'who wrote a section is known again, after a snapshot of %i of a batch, too',
    async (early) => {
      const disk = new SimulatedDisk();
      const opened = await create(disk);
      const { database, log } = opened;
      await waitUntilDurable(log);
      const authors: (bigint | undefined)[] = [];
      const keeper: SectionKeeper = {
        kind: 200,
        replay: (_bytes, { author }) => void authors.push(author?.__identity__),
        capture: () => Object.assign([], { release: () => {} }),
        takeBack: () => {},
      };
      const write = (identity: bigint, work: () => void): void =>
        void database.transact({ ...TEST_ORIGIN, caller: callers.get(identity)! }, work);
      const callers = new Map([5n, 6n].map((identity) => [identity, new Identity(identity)]));
      const note = (): void => database.addSection({ kind: 200, bytes: Uint8Array.of(1) });
      write(5n, note);
      const snapshot = early === 1 ? snapshotter(disk, opened).take(database) : Promise.resolve();
      write(5n, note);
      write(6n, () => database.table('account').insert({ id: 0n, owner: 'bob', balance: 1n }));
      write(6n, note);
      await snapshot;
      await log.close();
      await recoverDatabase(disk.mount(), {
        databaseKey,
        build: async () => {
          const built = new Database(schema, testOptions());
          built.addKeeper(keeper);
          return built;
        },
      });
      expect(authors).toEqual([5n, 5n, 6n].slice(early));
    },
  );

  it('power cuts with snapshots in between lose nothing that was acknowledged', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const disk = new SimulatedDisk();
      let opened = await create(disk);
      await waitUntilDurable(opened.log);
      let acked: string[] = [];
      for (let round = 0; round < 4; round++) {
        const shots = snapshotter(disk, opened);
        for (let i = 0; i < 12; i++) {
          put(opened.database, `${seed} ${round} ${i}`);
          const dice = random.nextFloat();
          if (dice < 0.3) {
            await waitUntilDurable(opened.log);
            acked = accounts(opened.database);
          } else if (dice < 0.5) {
            void shots.take(opened.database).catch(() => {});
            await Promise.resolve();
          }
        }
        disk.cutPower(() => random.nextFloat());
        opened = (await recover(disk))!;
        const found = accounts(opened.database);
        expect(
          acked.filter((account) => !found.includes(account)),
          `seed ${seed}`,
        ).toEqual([]);
      }
    }
  });
});
