import { expect, test } from 'vitest';
import { Opcode } from './frame.js';
import { OutputArena, OutputQueue } from './output-queue.js';

/** What would be written, in one piece. */
function taken(queue: OutputQueue): Buffer {
  const parts = queue.take() ?? [];
  return Buffer.concat(parts instanceof Uint8Array ? [parts] : parts);
}

// Was: where the place in the arena was reserved after the arena's memory was looked up, bytes went to the memory before.
test('a long message of many small parts is whole wherever it crosses from one piece of the arena to the next', () => {
  const parts = Array.from({ length: 500 }, (_, i) => new Uint8Array(97).fill(i));
  const expected = Buffer.concat(parts);
  const arena = new OutputArena();
  const queue = new OutputQueue(arena);
  for (let start = 0; start < 70_000; start += 531) {
    arena.renew();
    arena.offset = Math.min(start, 65_536);
    queue.pushMessage(Opcode.binary, parts);
    const bytes = taken(queue);
    expect(bytes.subarray(-expected.length).equals(expected), `from ${start}`).toBe(true);
    expect([bytes[0], bytes.length], `from ${start}`).toEqual([0x82, expected.length + 4]);
  }
});
