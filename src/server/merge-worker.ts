import { parentPort } from 'node:worker_threads';

import { mergeAll } from '../documents/merge-updates.js';
import { diffFor } from '../documents/stored-document.js';
import { UpdateError } from '../documents/update-error.js';
import type { MergeAnswer, MergeRequest } from './merge-thread.js';

/* The other end of merge-thread.ts. */

function answer({ id, updates, stateVector }: MergeRequest): MergeAnswer {
  try {
    const whole = mergeAll(updates);
    return { id, update: stateVector === undefined ? whole : diffFor(whole, stateVector) };
  } catch (error) {
    if (error instanceof UpdateError) return { id, malformed: error.message };
    throw error;
  }
}

parentPort!.on('message', (request: MergeRequest) => parentPort!.postMessage(answer(request)));
