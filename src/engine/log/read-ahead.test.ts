import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../base/random.js';
import type { DiskFile } from './disk.js';
import { READ_BYTES, ReadAhead } from './read-ahead.js';
import { SimulatedDisk } from './simulated-disk.js';

// Two pieces and a bit.
const SIZE = READ_BYTES * 2 + 1000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31) >>> 7);

async function openFile(): Promise<{ disk: SimulatedDisk; file: DiskFile; readsAt: number[] }> {
  const disk = new SimulatedDisk();
  disk.setContent('a', content);
  const file = await disk.mount().open('a', { writable: false, writeThrough: false });
  const readsAt: number[] = [];
  const read = file.read.bind(file);
  file.read = (target, position) => {
    readsAt.push(position);
    return read(target, position);
  };
  return { disk, file, readsAt };
}

describe('reading ahead', () => {
  it('pieces of any size, one behind the other, are what stands in the file, and each byte is read once', async () => {
    const { file, readsAt } = await openFile();
    const ahead = new ReadAhead(file, SIZE);
    const random = seededRandom(3);
    let at = 0;
    while (at < SIZE) {
      const length = 1 + (random.nextUint32() % 300_000);
      const bytes = ahead.peek(at, length) ?? (await ahead.read(at, length));
      const expected = content.subarray(at, at + length);
      expect(Buffer.compare(bytes, expected)).toBe(0);
      at += bytes.length;
    }
    expect(readsAt).toEqual([0, READ_BYTES, READ_BYTES * 2]);
  });

  it('the next piece is asked for before anybody needs it', async () => {
    const { file, readsAt } = await openFile();
    await new ReadAhead(file, SIZE).read(0, 10);
    expect(readsAt).toEqual([0, READ_BYTES]);
  });

  it('a jump back, a jump over a piece and more than a piece at once give the right bytes', async () => {
    const { file } = await openFile();
    const ahead = new ReadAhead(file, SIZE);
    for (const [at, length] of [
      [READ_BYTES - 5, 10],
      [3, 10],
      [SIZE - 10, 50],
      [7, READ_BYTES + 100],
      [READ_BYTES + 500, READ_BYTES],
    ] as const) {
      const bytes = await ahead.read(at, length);
      expect(Buffer.compare(bytes, content.subarray(at, at + length))).toBe(0);
    }
  });

  it('an error of the disk reaches whoever needs the piece, and nobody else', async () => {
    const { disk, file } = await openFile();
    const ahead = new ReadAhead(file, SIZE);
    let reads = 0;
    disk.faults.beforeOperation = (operation) => {
      if (operation === 'read' && ++reads === 2) throw new Error('EIO: i/o error, read');
    };
    await ahead.read(0, 10);
    await ahead.settle();
    expect((await ahead.read(100, 10)).length).toBe(10);
    await expect(ahead.read(READ_BYTES, 10)).rejects.toThrow('EIO');
  });
});
