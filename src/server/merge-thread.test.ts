import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, expect, it, onTestFinished } from 'vitest';
import * as Y from 'yjs';

import { mergeAll } from '../documents/merge-updates.js';
import { UpdateError } from '../documents/update-error.js';
import { MergeThread } from './merge-thread.js';

// What `npm run build` makes of it; threads cannot run TypeScript.
const BUILT = new URL('../../dist/server/merge-worker.js', import.meta.url);

let thread: MergeThread;
afterEach(() => thread.close());

function typing(count: number): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  for (let i = 0; i < count; i++) doc.getText('t').insert((i * 7919) % (i + 1), 'some words ');
  return updates;
}

it('merges and finds what is missing as this thread would, while the event loop goes on', async () => {
  thread = new MergeThread((error) => expect.unreachable(String(error)), BUILT);
  const updates = typing(5000);
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const merged = await thread.merge(updates);
  isDone = true;
  expect(merged).toEqual(mergeAll(updates));
  expect(turns).toBeGreaterThan(10);
  const vector = Y.encodeStateVectorFromUpdate(mergeAll(updates.slice(0, 4000)));
  expect(await thread.diff(merged, vector)).toEqual(Y.diffUpdate(merged, vector));
  await expect(thread.diff(merged, Uint8Array.of(9, 9))).rejects.toBeInstanceOf(UpdateError);
});

it('does without a thread where there is no file for one', async () => {
  thread = new MergeThread(() => expect.unreachable(), new URL('file:///nowhere/worker.js'));
  const updates = typing(50);
  expect(await thread.merge(updates)).toEqual(mergeAll(updates));
});

it('does by itself what a thread that dies leaves undone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-merge-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'worker.mjs'), 'throw new Error("no");');
  const errors: unknown[] = [];
  thread = new MergeThread((error) => void errors.push(error), pathToFileURL(join(folder, 'worker.mjs')));
  const updates = typing(50);
  expect(await thread.merge(updates)).toEqual(mergeAll(updates));
  expect(errors).toHaveLength(1);
});
