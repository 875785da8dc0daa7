import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManualClock } from '../../src/base/clock.js';
import { crc32 } from '../../src/engine/log/segment-format.js';
import type { DiskOperation } from '../../src/engine/log/simulated-disk.js';
import { type ChoraleServer, createServer, type ServerOptions } from '../../src/server/create-server.js';
import { SimulatedFolders } from '../sim/simulated-folders.js';
import { ledgerModule } from './ledger-module.js';
import { LEDGER, readLedger, WireClient } from './wire-client.js';

let folders: SimulatedFolders;
let servers: ChoraleServer[];

beforeEach(() => {
  folders = new SimulatedFolders();
  servers = [];
});

afterEach(async () => {
  for (const disk of folders.disks.values()) disk.faults = {};
  for (const server of servers) await server.close({ drainMs: 0 });
});

async function start(options: ServerOptions = {}): Promise<ChoraleServer> {
  const server = await createServer({
    folders,
    databases: { ledger: ledgerModule() },
    onNotice: () => {},
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  servers.push(server);
  return server;
}

/** The next `operation` of the disk, and every one after it, fails. */
function failFrom(operation: DiskOperation, message: string): void {
  folders.only.faults.beforeOperation = (each) => {
    if (each === operation) throw new Error(message);
  };
}

async function put(server: ChoraleServer, key: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/database/ledger/call/put`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([key]),
  });
  return `${response.status} ${await response.text()}`;
}

describe('a disk that fails under a running server', () => {
  it.each([
    ['write', 'ENOSPC: no space left on device'],
    ['write', 'EIO: i/o error, fsync'],
  ] as const)('%s %s: clients are told, writes refused, reads go on', async (operation, message) => {
    const server = await start();
    expect(await put(server, 'a')).toMatch(/^200/);
    const client = await WireClient.connect(server.url);
    client.subscribe();
    await expect.poll(() => client.trace).toEqual(['hello', 'applied']);
    const [idle, hasty] = [
      await WireClient.connect(server.url),
      await WireClient.connect(server.url, LEDGER, false),
    ];
    for (const other of [idle, hasty]) await expect.poll(() => other.trace).toEqual(['hello']);
    failFrom(operation, message);
    client.put('b');
    // Those who wait for nothing, and those who hear of everything at once, could be told nothing true any more either.
    for (const other of [idle, hasty]) expect(await other.closed).toBe("1011 the database's log has failed");
    expect(await client.closed).toBe("1011 the database's log has failed");
    expect([client.acked, client.seen]).toEqual([[], ['a']]);
    const refusal = await put(server, 'c');
    expect(refusal).toContain(message);
    expect(refusal).toMatch(/^503 .*reads only until the server is started again/);
    expect(await readLedger(server.url)).toEqual({ keys: ['a'], total: 1 });
    const renamed = await fetch(`${server.url}/v1/database/ledger/names`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${server.owner.token}` },
      body: '["journal"]',
    });
    expect(`${renamed.status} ${await renamed.text()}`).toMatch(/^503 .*reads only/);
    expect(server.database('ledger')).toBeDefined();
  });

  it('after it and a restart everything acknowledged is there, once', async () => {
    const first = await start();
    await put(first, 'a');
    failFrom('write', 'EIO: i/o error, fsync');
    await put(first, 'b');
    folders.only.faults = {};
    await first.close({ drainMs: 0 });
    const second = await start();
    expect(await readLedger(second.url)).toEqual({ keys: ['a'], total: 1 });
    expect(await put(second, 'c')).toMatch(/^200/);
  });

  it.each(['create', 'write', 'syncFolder'] as const)(
    'ENOSPC at %s while a database is created: nobody is told that it exists',
    async (operation) => {
      const full = new SimulatedFolders();
      full.open = async (name) => {
        const disk = await SimulatedFolders.prototype.open.call(full, name);
        full.only.faults.beforeOperation = (each) => {
          if (each === operation) throw new Error('ENOSPC: no space left on device');
        };
        return disk;
      };
      await expect(start({ folders: full })).rejects.toThrow(/ENOSPC/);
    },
  );
});

/** From now on each sync takes two seconds of `clock`. The function tells how many are under way. */
function slowDown(clock: ManualClock): () => number {
  let waiting = 0;
  folders.only.faults.delay = (operation) => {
    // The log's files are opened write-through: their writes are the syncs.
    if (operation !== 'write' && operation !== 'sync') return Promise.resolve();
    waiting += 1;
    return new Promise((resolve) => {
      clock.startTimer(SYNC_MS, () => {
        waiting -= 1;
        resolve();
      });
    });
  };
  return () => waiting;
}

const SYNC_MS = 2000;

describe('a disk that takes two seconds for each sync', () => {
  it('keeps replies back in their order, and the loop free', async () => {
    const clock = new ManualClock();
    const server = await start({ clock });
    const confirmed = await WireClient.connect(server.url);
    const hasty = await WireClient.connect(server.url, LEDGER, false);
    for (const client of [confirmed, hasty]) client.subscribe();
    await expect.poll(() => confirmed.trace.length + hasty.trace.length).toBe(4);
    const syncs = slowDown(clock);
    confirmed.put('a', 'b');
    await expect.poll(() => hasty.seen).toEqual(['a', 'b']);
    hasty.put('c');
    await expect.poll(() => hasty.acked).toEqual(['c']);
    // All of that without a moment of the disk's two seconds, of which now all but one millisecond go by.
    expect(syncs()).toBe(1);
    clock.advance(SYNC_MS - 1);
    expect((await fetch(`${server.url}/v1/ping`)).ok).toBe(true);
    expect(await readLedger(server.url, false)).toEqual({ keys: ['a', 'b', 'c'], total: 3 });
    expect([confirmed.acked, confirmed.seen]).toEqual([[], []]);
    clock.advance(1);
    await expect.poll(() => confirmed.acked).toContain('a');
    // What came while the first sync was under way shares the second.
    await expect.poll(syncs).toBe(1);
    expect(confirmed.seen).not.toContain('c');
    clock.advance(SYNC_MS);
    await expect.poll(() => confirmed.seen).toEqual(['a', 'b', 'c']);
    expect(confirmed.trace).toEqual(['hello', 'applied', 'ok', 'ok', 'update']);
    expect(syncs()).toBe(0);
    for (const client of [confirmed, hasty]) client.close();
  });
});

describe('a clock that jumps backwards', () => {
  it('changes neither the order nor the content of what is kept', async () => {
    const clock = new ManualClock();
    const first = await start({ clock });
    await put(first, 'a');
    clock.setWallTime(clock.nowMicros() - 86_400_000_000);
    await put(first, 'b');
    await first.close({ drainMs: 0 });
    clock.setWallTime(clock.nowMicros() - 86_400_000_000);
    const second = await start({ clock });
    expect(await put(second, 'c')).toMatch(/^200/);
    expect(await readLedger(second.url)).toEqual({ keys: ['a', 'b', 'c'], total: 3 });
  });
});

describe('a data directory of another format version', () => {
  it('is refused with both versions, and stays as it was', async () => {
    const first = await start();
    await put(first, 'a');
    await first.close({ drainMs: 0 });
    const disk = folders.only;
    const [name] = disk.list();
    const old = disk.contentOf(name!).slice();
    const view = new DataView(old.buffer);
    view.setUint16(8, 0, true);
    view.setUint32(68, crc32(old.subarray(0, 68)), true);
    disk.setContent(name!, old);
    await expect(start()).rejects.toThrow(
      /format version 0, this version of Chorale reads format version 1 to 3/,
    );
    expect(disk.contentOf(name!)).toEqual(old);
  });
});
