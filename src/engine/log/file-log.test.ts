import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../base/random.js';
import { Identity } from '../../values/identity.js';
import { asNewRecord } from '../testing/log-records.js';
import type { TransactionRecord, TxOffset } from './commit-log.js';
import { cutLogAfter } from './cut-log.js';
import { BLOCK_BYTES } from './disk.js';
import type { LogSizes } from './file-log.js';
import { recoverLog, type RecoveredLog } from './recovery.js';
import { SimulatedDisk } from './simulated-disk.js';

const databaseKey = new Identity(7n).key;

function record(name: string, rowBytes = 20): TransactionRecord {
  const row = new Uint8Array(rowBytes).fill(name.length);
  return {
    timestampMicros: 1_700_000_000_000_000,
    caller: new Identity(9n),
    connectionId: undefined,
    functionName: name,
    changes: [{ table: 'account', deletes: [], inserts: [row] }],
  };
}

async function open(
  disk: SimulatedDisk,
  options: LogSizes & { readonly snapshotOffset?: TxOffset } = {},
): Promise<RecoveredLog & { readonly names: string[] }> {
  const names: string[] = [];
  const recovered = await recoverLog(disk.mount(), {
    databaseKey,
    ...options,
    apply: (found, offset) => void names.push(`${offset} ${found.functionName}`),
  });
  return { ...recovered, names };
}

/** Resolves when everything appended so far is durable. */
function durable(log: RecoveredLog['log'], offset: TxOffset = log.lastOffset): Promise<void> {
  return new Promise((resolve, reject) => {
    if (log.durableOffset >= offset) resolve();
    log.onDurable((reached) => reached >= offset && resolve());
    log.onFailed(reject);
  });
}

describe('file log', () => {
  it('a log that was closed gives back every record in order', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    for (let i = 1; i <= 5; i++) log.append(asNewRecord(record(`f${i}`)));
    await log.close();
    expect((await open(disk)).names).toEqual(['1 f1', '2 f2', '3 f3', '4 f4', '5 f5']);
  });

  it('a record keeps its caller, time, rows and sections', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    const sections = [{ kind: 200, bytes: Uint8Array.of(1, 2, 3) }];
    log.append(asNewRecord({ ...record('f'), sections }));
    await log.close();
    const found: TransactionRecord[] = [];
    await recoverLog(disk.mount(), { databaseKey, apply: (each) => void found.push(each) });
    expect(found).toEqual([{ ...record('f'), sections }]);
  });

  it.each(['account', 'é', 'x'.repeat(127), 'x'.repeat(128), '€'.repeat(100), ''])(
    'rows of any number and length are kept, of a table %j',
    async (table) => {
      const disk = new SimulatedDisk();
      const { log } = await open(disk);
      const rows = [0, 1, 96, 97, 127, 128, 16_383, 16_384].map((size) => new Uint8Array(size).fill(size));
      const many = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i));
      const changes = [
        { table, deletes: rows, inserts: many },
        { table: 'other', deletes: [], inserts: rows },
      ];
      log.append(asNewRecord({ ...record('f'), changes }));
      await log.close();
      const found: TransactionRecord[] = [];
      await recoverLog(disk.mount(), { databaseKey, apply: (each) => void found.push(each) });
      expect(found).toEqual([{ ...record('f'), changes, sections: [] }]);
    },
  );

  it('what is committed in one turn shares a batch, and while one is in flight the next one forms', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    const reached: TxOffset[] = [];
    log.onDurable((offset) => {
      reached.push(offset);
      if (offset === 2) log.append(asNewRecord(record('late')));
    });
    log.append(asNewRecord(record('a')));
    log.append(asNewRecord(record('b')));
    await durable(log, 3);
    expect(reached).toEqual([2, 3]);
  });

  it('what has become large does not wait for the turn to end, and a batch of it is as any other', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    log.append(asNewRecord(record('first')));
    await durable(log);
    let written = 0;
    disk.faults.delay = async (operation) => void (written += operation === 'write' ? 1 : 0);
    for (let i = 0; i < 8; i++) log.append(asNewRecord(record(`f${i}`, 100 * 1024)));
    expect(written).toBe(1);
    await durable(log);
    expect(written).toBe(2);
    await log.close();
    expect((await open(disk)).names).toHaveLength(9);
  });

  it('nothing is durable before the disk has said so', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    let release = (): void => {};
    disk.faults.delay = (operation) =>
      operation === 'write' ? new Promise((resolve) => void (release = resolve)) : Promise.resolve();
    log.append(asNewRecord(record('a')));
    await expect.poll(() => release.toString().length > 10).toBe(true);
    expect([log.lastOffset, log.durableOffset]).toEqual([1, 0]);
    disk.faults.delay = async () => {};
    release();
    await durable(log);
    expect(log.durableOffset).toBe(1);
  });

  it('short writes are completed', async () => {
    const disk = new SimulatedDisk();
    disk.faults.writeBytesMax = 7;
    const { log } = await open(disk);
    log.append(asNewRecord(record('a')));
    await log.close();
    expect((await open(disk)).names).toEqual(['1 a']);
  });

  it('a full segment is followed by one that begins at the next offset', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, { segmentBytesMax: 300 });
    for (let i = 1; i <= 9; i++) {
      log.append(asNewRecord(record(`f${i}`, 100)));
      await durable(log);
    }
    await log.close();
    expect(disk.list().length).toBeGreaterThan(2);
    expect((await open(disk, { segmentBytesMax: 300 })).names).toHaveLength(9);
  });

  it.each(['create', 'write', 'syncFolder'] as const)('ENOSPC at %s fails the log for good', async (at) => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    disk.faults.beforeOperation = (operation) => {
      if (operation === at) throw new Error('ENOSPC: no space left on device');
    };
    log.append(asNewRecord(record('a')));
    await expect(durable(log)).rejects.toThrow(/ENOSPC.*reads only/);
    disk.faults = {};
    expect(() => log.append(asNewRecord(record('b')))).toThrow(/ENOSPC/);
    expect(log.durableOffset).toBe(0);
  });
});

describe('zeros written ahead', () => {
  const options = { preallocateBytes: 500, segmentBytesMax: 3000 };

  it('batches overwrite them, a start goes on before them, and a closed log has none', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, options);
    for (let i = 1; i <= 60; i++) {
      log.append(asNewRecord(record(`f${i}`, i % 7 === 0 ? 900 : 30)));
      await durable(log);
    }
    disk.kill();
    const last = disk.list().toSorted().at(-1)!;
    expect(disk.contentOf(last).at(-1)).toBe(0);
    const again = await open(disk, options);
    expect([again.names.length, again.torn]).toEqual([60, undefined]);
    again.log.append(asNewRecord(record('f61')));
    await again.log.close();
    expect(disk.contentOf(last).at(-1)).not.toBe(0);
    expect((await open(disk, options)).names).toEqual(
      Array.from({ length: 61 }, (_, i) => `${i + 1} f${i + 1}`),
    );
  });

  it('none are written behind a large batch, nor behind small ones soon after it', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, { preallocateBytes: 50_000, largeBatchBytes: 1000 });
    const zerosBehind = (): number => {
      const content = disk.contentOf(disk.list()[0]!);
      return content.length - content.findLastIndex((byte) => byte !== 0);
    };
    const commit = async (name: string, rowBytes?: number): Promise<void> => {
      log.append(asNewRecord(record(name, rowBytes)));
      await durable(log);
    };
    await commit('large', 2000);
    for (let i = 0; i < 16; i++) await commit('small');
    expect(zerosBehind()).toBeLessThan(BLOCK_BYTES);
    await commit('small');
    await expect.poll(zerosBehind).toBeGreaterThan(50_000);
  });

  it('a batch that was torn in front of them is cut off', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, options);
    for (const text of ['a', 'b']) {
      log.append(asNewRecord(record(text)));
      await durable(log);
    }
    disk.kill();
    const [name] = disk.list();
    const content = disk.contentOf(name!);
    const end = content.findLastIndex((byte) => byte !== 0);
    content.fill(0, end - 20, end + 1);
    const again = await open(disk, options);
    expect([again.names, again.torn?.reason]).toEqual([['1 a'], 'the checksum of the batch is wrong']);
  });

  it('an error while they are written fails the log, and nothing is acknowledged after it', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, options);
    log.append(asNewRecord(record('a')));
    let writes = 0;
    disk.faults.beforeOperation = (operation) => {
      // The header, the batch, the zeros.
      if (operation === 'write' && ++writes === 3) throw new Error('ENOSPC: no space left on device');
    };
    await durable(log);
    await expect.poll(() => log.failure?.message).toMatch(/ENOSPC/);
    expect(() => log.append(asNewRecord(record('b')))).toThrow(/ENOSPC/);
    disk.faults = {};
    expect((await open(disk, options)).names).toEqual(['1 a']);
  });
});

describe('large batches', () => {
  const options = { largeBatchBytes: 1000 };
  const sizes = [20, 2000, 20, 20, 1000, 5000, 9000, 20, 3932, 20];

  /** The log of `sizes`, a batch for each, and where each begins. */
  async function mixed(more: LogSizes = {}): Promise<{ disk: SimulatedDisk; starts: readonly number[] }> {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, { ...options, ...more });
    for (const [i, size] of sizes.entries()) {
      log.append(asNewRecord(record(`f${i}`, size)));
      await durable(log);
    }
    await log.close();
    const content = Buffer.from(disk.contentOf(disk.list()[0]!));
    const starts: number[] = [];
    for (let at = content.indexOf('CHRB'); at >= 0; at = content.indexOf('CHRB', at + 1)) starts.push(at);
    return { disk, starts };
  }
  const names = sizes.map((_, i) => `${i + 1} f${i}`);

  it('begin at a block, with zeros before and behind them, and are read with the small ones between', async () => {
    const { disk, starts } = await mixed();
    expect(starts.map((start) => start % BLOCK_BYTES === 0)).toEqual([
      false,
      true,
      true,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
    ]);
    const again = await open(disk, options);
    expect([again.names, again.torn]).toEqual([names, undefined]);
    again.log.append(asNewRecord(record('last', 4000)));
    await again.log.close();
    expect((await open(disk, options)).names).toEqual([...names, '11 last']);
  });

  it('are whole when the disk takes a few bytes at a time, and behind zeros that were written ahead', async () => {
    for (const bytes of [700, BLOCK_BYTES]) {
      const disk = new SimulatedDisk();
      disk.faults.writeBytesMax = bytes;
      const { log } = await open(disk, { ...options, preallocateBytes: 10_000 });
      for (const [i, size] of sizes.entries()) {
        log.append(asNewRecord(record(`f${i}`, size)));
        await durable(log);
      }
      disk.kill();
      expect((await open(disk, options)).names).toEqual(names);
    }
  });

  it('one that was torn at any sector, or lacks one, is cut off', async () => {
    const { disk, starts } = await mixed();
    const [name] = disk.list();
    const whole = disk.contentOf(name!).slice();
    const [start, next] = [starts[6]!, starts[7]!];
    const SECTOR_BYTES = 512;
    for (let at = start; at < start + 9000; at += SECTOR_BYTES) {
      const tail = whole.slice(0, next);
      for (const torn of [
        tail.slice().fill(0, at),
        tail.slice(0, at),
        tail.slice().fill(0, at, at + SECTOR_BYTES),
      ]) {
        const cut = new SimulatedDisk();
        cut.setContent(name!, torn);
        const found = await open(cut, options);
        expect(found.names, `at ${at}`).toEqual(names.slice(0, 6));
        found.log.append(asNewRecord(record('again', 2000)));
        await found.log.close();
        expect((await open(cut, options)).names).toEqual([...names.slice(0, 6), '7 again']);
      }
    }
  });

  it('can be cut off behind any of them', async () => {
    for (let offset = 1; offset <= sizes.length; offset++) {
      const { disk } = await mixed();
      await cutLogAfter(disk.mount(), offset);
      const again = await open(disk, options);
      expect([again.names, again.torn]).toEqual([names.slice(0, offset), undefined]);
    }
  });

  it('a batch that is gone between them is damage, not padding', async () => {
    const { disk, starts } = await mixed();
    const [name] = disk.list();
    for (let i = 1; i < starts.length - 1; i++) {
      const content = disk
        .contentOf(name!)
        .slice()
        .fill(0, starts[i], starts[i + 1]);
      const damaged = new SimulatedDisk();
      damaged.setContent(name!, content);
      await expect(open(damaged, options), `batch ${i}`).rejects.toThrow('is damaged at byte');
    }
  });
});

describe('a full disk', () => {
  it('ENOSPC at the roll to the next segment loses nothing that was acknowledged', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, { segmentBytesMax: 300 });
    for (const text of ['a', 'b', 'c']) {
      log.append(asNewRecord(record(text, 100)));
      await durable(log);
    }
    disk.faults.beforeOperation = (operation) => {
      if (operation === 'create') throw new Error('ENOSPC: no space left on device');
    };
    let acked = log.durableOffset;
    log.onDurable((offset) => void (acked = offset));
    await expect(
      (async () => {
        for (;;) {
          log.append(asNewRecord(record('d', 100)));
          await durable(log);
        }
      })(),
    ).rejects.toThrow(/ENOSPC/);
    disk.faults = {};
    const again = await open(disk, { segmentBytesMax: 300 });
    expect(again.names).toHaveLength(acked);
  });

  it('what was taken and is not on disk comes back newest first, and counts as never taken', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    log.append(asNewRecord(record('kept')));
    await durable(log);
    disk.faults.beforeOperation = (operation) => {
      if (operation === 'write') throw new Error('EIO');
    };
    log.append(asNewRecord(record('flying')));
    await Promise.resolve();
    log.append(asNewRecord(record('forming')));
    await expect(durable(log)).rejects.toThrow(/EIO/);
    expect(log.takeBack().map(({ functionName }) => functionName)).toEqual(['forming', 'flying']);
    expect(log.lastOffset).toBe(1);
  });
});

describe('recovery', () => {
  async function threeBatches(): Promise<{ disk: SimulatedDisk; name: string; lastBatchAt: number }> {
    const disk = new SimulatedDisk();
    const { log } = await open(disk);
    let lastBatchAt = 0;
    for (const text of ['a', 'b', 'c']) {
      lastBatchAt = disk.list().length > 0 ? disk.contentOf(disk.list()[0]!).length : 0;
      log.append(asNewRecord(record(text)));
      await durable(log);
    }
    return { disk, name: disk.list()[0]!, lastBatchAt };
  }

  it('a batch torn at any of its bytes is cut off, and the log goes on', async () => {
    const { disk, name, lastBatchAt } = await threeBatches();
    const whole = disk.contentOf(name).slice();
    for (let size = lastBatchAt + 1; size < whole.length; size++) {
      const torn = new SimulatedDisk();
      torn.setContent(name, whole.slice(0, size));
      const first = await open(torn);
      expect([first.names, first.torn?.at]).toEqual([['1 a', '2 b'], lastBatchAt]);
      first.log.append(asNewRecord(record('d')));
      await first.log.close();
      expect((await open(torn)).names).toEqual(['1 a', '2 b', '3 d']);
    }
  });

  it('a flipped bit before the last batch is never taken for a torn tail', async () => {
    const { disk, name, lastBatchAt } = await threeBatches();
    const whole = disk.contentOf(name).slice();
    for (let bit = 0; bit < lastBatchAt * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const damaged = new SimulatedDisk();
      damaged.setContent(name, flipped);
      await expect(open(damaged), `bit ${bit}`).rejects.toThrow(
        /damaged at byte|format version|another database/,
      );
    }
  });

  it('a flipped bit in the last batch is cut off and told', async () => {
    const { disk, name, lastBatchAt } = await threeBatches();
    const whole = disk.contentOf(name).slice();
    for (let bit = lastBatchAt * 8; bit < whole.length * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const damaged = new SimulatedDisk();
      damaged.setContent(name, flipped);
      const { names, torn } = await open(damaged);
      expect([names, torn?.at]).toEqual([['1 a', '2 b'], lastBatchAt]);
    }
  });

  it('a segment missing in the middle is refused', async () => {
    const disk = new SimulatedDisk();
    const { log } = await open(disk, { segmentBytesMax: 100 });
    for (const text of ['a', 'b', 'c']) {
      log.append(asNewRecord(record(text)));
      await durable(log);
    }
    await log.close();
    disk.remove(disk.list().toSorted()[1]!);
    await expect(open(disk)).rejects.toThrow(/does not follow/);
  });

  it('after a power cut everything acknowledged is there, and what is there is a prefix', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const sizes = { segmentBytesMax: 400, preallocateBytes: seed % 2 === 0 ? 1500 : 0 };
      const disk = new SimulatedDisk();
      let { log } = await open(disk, sizes);
      let acked = 0;
      let next = 1;
      for (let round = 0; round < 4; round++) {
        log.onDurable((offset) => void (acked = offset));
        const steps = random.nextUint32() % 8;
        for (let i = 0; i < steps; i++) {
          log.append(asNewRecord(record(`f${next++}`, random.nextUint32() % 700)));
          if (random.nextFloat() < 0.5) await durable(log);
          else await Promise.resolve();
        }
        const ackedBefore = acked;
        disk.cutPower(() => random.nextFloat());
        const recovered = await open(disk, sizes);
        expect(recovered.names.length, `seed ${seed}`).toBeGreaterThanOrEqual(ackedBefore);
        expect(recovered.names).toEqual(recovered.names.map((_, i) => `${i + 1} f${i + 1}`));
        log = recovered.log;
        acked = log.durableOffset;
        next = log.lastOffset + 1;
      }
    }
  });
});
