import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeRecord, FILE_HEADER, parseRecords } from './file-format.js';
import { connect } from './index.js';
import { UpdateFile } from './update-file.js';

/* Several who have one file open. The updates here are no Yjs updates: a file does not look into them. */

let folder: string;
let path: string;
let warnings: string[];
const opened: UpdateFile[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-file-'));
  path = join(folder, 'doc.y');
  warnings = [];
});
afterEach(async () => {
  for (const file of opened.splice(0)) await file.close();
  await rm(folder, { recursive: true, force: true });
});

async function openFile(): Promise<UpdateFile> {
  const onWarning = (text: string): void => void warnings.push(text);
  const file = await UpdateFile.open({ path, isShared: true, onWarning });
  opened.push(file);
  return file;
}

const update = (text: string): Uint8Array => Buffer.from(text);
const textsOf = (updates: readonly Uint8Array[]): string[] =>
  updates.map((bytes) => Buffer.from(bytes).toString());
const stored = async (): Promise<string[]> =>
  textsOf(parseRecords(await readFile(path), FILE_HEADER.length).updates);

describe('a file that several have open', () => {
  it('gives each what the others have appended', async () => {
    const [a, b] = [await openFile(), await openFile()];
    await a.append([update('a1'), update('a2')]);
    expect(textsOf(await b.append([update('b1')]))).toEqual(['a1', 'a2']);
    expect(textsOf(await a.readNew())).toEqual(['a1', 'a2', 'b1']);
    expect(await b.readNew()).toHaveLength(1);
  });

  it('is made with its header by one of those who come first', async () => {
    await Promise.all(Array.from({ length: 8 }, () => openFile()));
    expect(await readFile(path)).toEqual(Buffer.from(FILE_HEADER));
    expect(await readdir(folder)).toEqual(['doc.y']);
  });

  it('who did not notice that it was squashed appends to the new one', async () => {
    const [a, b] = [await openFile(), await openFile()];
    await a.append([update('a1'), update('a2')]);
    await a.rewrite((news) => update(textsOf(news).join('+')));
    expect(textsOf(await b.append([update('b1')]))).toEqual(['a1+a2']);
    expect(await stored()).toEqual(['a1+a2', 'b1']);
  });

  it('what is appended while it is squashed is in the new one', async () => {
    const a = await openFile();
    await a.append([update('a1')]);
    await a.rewrite(() => {
      appendFileSync(path, encodeRecord(update('late')));
      return update('whole');
    });
    expect(await stored()).toEqual(['whole', 'late']);
    expect(textsOf(await a.readNew())).toEqual(['late']);
  });

  it('one squashes at a time, and who crashed while doing it is forgotten after a minute', async () => {
    const a = await openFile();
    await a.append([update('a1')]);
    await writeFile(`${path}.squash`, 'half a fi');
    expect(await a.rewrite(() => update('whole'))).toBe(false);
    expect(await stored()).toEqual(['a1']);
    const longAgo = Date.now() / 1000 - 61;
    await utimes(`${path}.squash`, longAgo, longAgo);
    expect(await a.rewrite(() => update('whole'))).toBe(true);
    expect([await stored(), await readdir(folder)]).toEqual([['whole'], ['doc.y']]);
  });

  it("another one's torn record is cut off before one's own is appended", async () => {
    const a = await openFile();
    appendFileSync(path, encodeRecord(update('torn')).subarray(0, 3));
    await a.append([update('a1')]);
    expect(await stored()).toEqual(['a1']);
    expect(warnings).toEqual([`${path}: the last 3 bytes were cut off: a crash interrupted their record`]);
  });

  it('three processes write and squash it: nothing is lost, and each has seen all', async () => {
    await using client = await connect('file', { path, watch: true });
    const script = join(import.meta.dirname, 'testing', 'file-writer.ts');
    const start = (...words: string[]): Promise<unknown> =>
      once(
        spawn(process.execPath, ['--import', 'tsx', script, path, ...words], { stdio: 'inherit' }),
        'exit',
      );
    const ends = [start('a', '40'), start('b', '40', 'squash'), start('c', '40', 'squash')];
    for (let i = 0; i < 40; i++) {
      client.doc.getText('t').insert(0, 'd');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(ends)).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    const letters = ({ doc }: typeof client): string =>
      Array.from(doc.getText('t').toJSON())
        .toSorted((x, y) => x.localeCompare(y))
        .join('');
    const all = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)).join('');
    await expect.poll(() => letters(client)).toBe(all);
    await using reader = await connect('file', { path });
    await expect.poll(() => letters(reader)).toBe(all);
  });
});
