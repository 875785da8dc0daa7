import { describe, expect, it } from 'vitest';

import { Identity } from '../../values/identity.js';
import { SimulatedDisk } from './simulated-disk.js';
import {
  listSnapshots,
  readSnapshot,
  snapshotName,
  writeSnapshot,
  type SnapshotSource,
} from './snapshot-file.js';

const databaseKey = new Identity(7n).key;
const noPause = async (): Promise<void> => {};

function source(rowCount = 3, rowBytes = 10): SnapshotSource {
  const rows = Array.from({ length: rowCount }, (_, i) => new Uint8Array(rowBytes).fill(i));
  return {
    offset: 42,
    databaseKey,
    takenAtMs: 5,
    epoch: 1,
    sections: [{ kind: 2, bytes: Uint8Array.of(9, 9) }],
    tables: [
      { name: 'account', rows },
      { name: 'empty', rows: [] },
      { name: 'zero', rows: [new Uint8Array()] },
    ],
  };
}

async function read(disk: SimulatedDisk): Promise<string[]> {
  const seen: string[] = [];
  await readSnapshot(disk.mount(), 42, databaseKey, {
    section: ({ kind, bytes }) => void seen.push(`section ${kind} ${bytes.join()}`),
    rows: (table, rows) => seen.push(...rows.map((row) => `${table} ${row.length}:${row[0]}`)),
  });
  return seen;
}

describe('snapshot', () => {
  it('gives back what was written', async () => {
    const disk = new SimulatedDisk();
    await writeSnapshot(disk.mount(), source(), noPause, noPause);
    expect(await listSnapshots(disk.mount())).toEqual([42]);
    expect(await read(disk)).toEqual([
      'section 2 9,9',
      'account 10:0',
      'account 10:1',
      'account 10:2',
      'zero 0:undefined',
    ]);
  });

  it('a large table is written in pieces with a pause after each', async () => {
    const disk = new SimulatedDisk();
    let pauses = 0;
    const bytes = await writeSnapshot(
      disk.mount(),
      source(1000, 1024),
      async () => void (pauses += 1),
      noPause,
    );
    expect(pauses).toBe(4 + 1 + 2);
    expect(disk.contentOf(snapshotName(42))).toHaveLength(bytes);
    expect((await read(disk)).filter((line) => line.startsWith('account'))).toHaveLength(1000);
  });

  it('one that was interrupted at any operation is not there, or is whole', async () => {
    for (let stopAt = 0; stopAt < 20; stopAt++) {
      const disk = new SimulatedDisk();
      let operations = 0;
      disk.faults.beforeOperation = () => {
        if (operations++ === stopAt) throw new Error('ENOSPC: no space left on device');
      };
      await writeSnapshot(disk.mount(), source(), noPause, noPause).catch(() => {});
      disk.faults = {};
      disk.cutPower(() => 0.9);
      for (const offset of await listSnapshots(disk.mount())) {
        expect([offset, (await read(disk)).length]).toEqual([42, 5]);
      }
    }
  });

  it('any flipped bit is found', async () => {
    const disk = new SimulatedDisk();
    await writeSnapshot(disk.mount(), source(), noPause, noPause);
    const whole = disk.contentOf(snapshotName(42)).slice();
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      disk.setContent(snapshotName(42), flipped);
      await expect(read(disk), `bit ${bit}`).rejects.toThrow(/damaged|version|another database/);
    }
  });

  it('one that is cut short at any byte is found', async () => {
    const disk = new SimulatedDisk();
    await writeSnapshot(disk.mount(), source(), noPause, noPause);
    const whole = disk.contentOf(snapshotName(42)).slice();
    for (let size = 0; size < whole.length; size++) {
      disk.setContent(snapshotName(42), whole.slice(0, size));
      await expect(read(disk), `size ${size}`).rejects.toThrow(/damaged/);
    }
  });
});
