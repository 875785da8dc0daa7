import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { ManualClock } from '../../../base/clock.js';
import { encodeRecord, FILE_HEADER, parseRecords } from './file-format.js';
import { connect } from './index.js';

const text = ({ doc }: { readonly doc: Y.Doc }): string => doc.getText('t').toJSON();

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-wires-'));
  path = join(folder, 'doc.y');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the file wire', () => {
  const read = async (): Promise<Buffer> => readFile(path);
  const recordCount = async (): Promise<number> =>
    parseRecords(await read(), FILE_HEADER.length).updates.length;

  it('restores what was written, at once without a delay', async () => {
    const client = await connect('file', { path });
    expect(client.version).toBe('0.0.1');
    client.doc.getText('t').insert(0, 'Hello');
    await expect.poll(async () => (await read()).includes('Hello')).toBe(true);
    await client.close();
    await using again = await connect('file', { path });
    expect(text(again)).toBe('Hello');
  });

  it('with autoUpdate false nothing is read before pull and nothing written before push', async () => {
    const doc = new Y.Doc();
    const client = await connect('file', { path, doc, autoUpdate: false });
    await client.pull();
    doc.getText('t').insert(0, 'Hello');
    expect((await read()).includes('Hello')).toBe(false);
    client.push();
    await client.close();
    expect((await read()).includes('Hello')).toBe(true);
  });

  it('with a delay, edits are written when none has come for as long, and in the end for certain', async () => {
    const clock = new ManualClock();
    const client = await connect('file', { path, writeDelay: 1, clock });
    const type = (): void => client.doc.getText('t').insert(0, 'x');
    for (let i = 0; i < 5; i++) {
      type();
      clock.advance(999);
    }
    expect(await read()).toEqual(Buffer.from(FILE_HEADER));
    clock.advance(1);
    await expect.poll(recordCount).toBe(5);
    type();
    await client.close();
    expect([await recordCount(), clock.pendingTimers]).toEqual([6, 0]);
  });

  it.each([
    [1, undefined, 10],
    [0.01, undefined, 1],
    [1, 3, 3],
  ])(
    'who types on and on, with a delay of %d s and maxWait %s, is written after %d s',
    async (writeDelay, maxWait, s) => {
      const clock = new ManualClock();
      const options = maxWait === undefined ? {} : { maxWait };
      await using client = await connect('file', { path, writeDelay, clock, ...options });
      const stepMs = (writeDelay * 1000) / 2;
      for (let ms = 0; ms < s * 1000; ms += stepMs) {
        client.doc.getText('t').insert(0, 'x');
        await new Promise((resolve) => setImmediate(resolve));
        if (ms > 0) expect(await recordCount()).toBe(0);
        clock.advance(stepMs);
      }
      await expect.poll(recordCount).toBe((s * 1000) / stepMs);
    },
  );

  it('a file of another version is refused in the documented words', async () => {
    await writeFile(path, '0.0.0\0');
    await expect(connect('file', { path })).rejects.toThrow(
      'File version mismatch (got "0.0.0", expected "0.0.1")',
    );
  });

  it('squash makes one record of many, and new edits are appended or merged', async () => {
    const client = await connect('file', { path });
    for (const word of ['Hello', ', ', 'World!'])
      client.doc.getText('t').insert(client.doc.getText('t').length, word);
    await client.close();
    expect(await recordCount()).toBe(3);
    const { size } = await stat(path);
    const squashed = await connect('file', { path, squash: true });
    await squashed.close();
    expect([await recordCount(), (await read()).includes('Hello, World!')]).toEqual([1, true]);
    expect((await stat(path)).size).toBeLessThan(size);
    await using more = await connect('file', { path });
    more.doc.getText('t').insert(0, '>');
    await expect.poll(recordCount).toBe(2);
    expect(text(more)).toBe('>Hello, World!');
  });

  it('what the document has and the file lacks is appended when they meet again', async () => {
    const doc = new Y.Doc();
    const client = await connect('file', { path, doc });
    doc.getText('t').insert(0, 'a');
    await client.close();
    doc.getText('t').insert(1, 'b');
    await using _again = await connect('file', { path, doc });
    await expect.poll(recordCount).toBe(2);
  });

  it('cut off at every byte it opens with what is whole, and says what it lost', async () => {
    const client = await connect('file', { path });
    for (const letter of 'abc') client.doc.getText('t').insert(client.doc.getText('t').length, letter);
    await client.close();
    const whole = await read();
    for (let end = 0; end < whole.length; end++) {
      await writeFile(path, whole.subarray(0, end));
      const warnings: string[] = [];
      const cut = await connect('file', { path, onWarning: (line) => void warnings.push(line) });
      expect('abc'.startsWith(text(cut))).toBe(true);
      await cut.close();
      const { end: good } = parseRecords(whole.subarray(0, end), FILE_HEADER.length);
      if (end > FILE_HEADER.length) expect(warnings.length).toBe(end > good ? 1 : 0);
    }
  });

  it('two that watch the same file follow each other', async () => {
    await using a = await connect('file', { path, watch: true });
    await using b = await connect('file', { path, watch: true });
    a.doc.getText('t').insert(0, 'x');
    await expect.poll(() => text(b)).toBe('x');
    b.doc.getText('t').insert(1, 'y');
    await expect.poll(() => text(a)).toBe('xy');
  });

  it('records are read up to the first that is not whole, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1 })), fc.uint8Array(), (updates, garbage) => {
        const whole = Buffer.concat([FILE_HEADER, ...updates.map(encodeRecord)]);
        const { updates: read, end } = parseRecords(Buffer.concat([whole, garbage]), FILE_HEADER.length);
        expect(read.slice(0, updates.length).map(hexOf)).toEqual(updates.map(hexOf));
        expect(end).toBeGreaterThanOrEqual(whole.length);
        expect(end).toBeLessThanOrEqual(whole.length + garbage.length);
      }),
    );
  });
});
