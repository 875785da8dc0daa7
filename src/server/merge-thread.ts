import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { type Merger, mergeHere } from '../documents/merger.js';
import { UpdateError } from '../documents/update-error.js';

export interface MergeRequest {
  readonly id: number;
  readonly updates: readonly Uint8Array[];
  readonly stateVector: Uint8Array | undefined;
}

export type MergeAnswer =
  | { readonly id: number; readonly update: Uint8Array }
  /** The state vector is none. */
  | { readonly id: number; readonly malformed: string };

interface Job {
  readonly request: MergeRequest;
  readonly resolve: (update: Uint8Array | Promise<Uint8Array>) => void;
  readonly reject: (error: Error) => void;
}

const WORKER = new URL('./merge-worker.js', import.meta.url);

/**
 * Merges in a thread of its own, which starts with the first long merge. Where there is no file for it, as in a bundle, or when it
 * fails, this thread does the work.
 */
export class MergeThread implements Merger {
  readonly #file: URL;
  readonly #onError: (error: unknown) => void;
  readonly #jobs = new Map<number, Job>();
  #worker: Worker | undefined;
  #nextId = 1;

  constructor(onError: (error: unknown) => void, file: URL = WORKER) {
    this.#onError = onError;
    this.#file = file;
  }

  merge(updates: readonly Uint8Array[]): Promise<Uint8Array> {
    return this.#run(updates, undefined);
  }

  diff(whole: Uint8Array, stateVector: Uint8Array): Promise<Uint8Array> {
    return this.#run([whole], stateVector);
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  #run(updates: readonly Uint8Array[], stateVector: Uint8Array | undefined): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const request = { id: this.#nextId++, updates, stateVector };
      const job = { request, resolve, reject };
      const worker = (this.#worker ??= this.#start());
      if (worker === undefined) return doHere(job);
      this.#jobs.set(request.id, job);
      worker.postMessage(request);
    });
  }

  #start(): Worker | undefined {
    if (!existsSync(fileURLToPath(this.#file))) return undefined;
    const worker = new Worker(this.#file);
    worker.on('message', (answer: MergeAnswer) => this.#settle(answer));
    worker.on('error', this.#onError);
    worker.on('exit', () => this.#end(worker));
    // It must not keep the process alive.
    worker.unref();
    return worker;
  }

  #settle(answer: MergeAnswer): void {
    const job = this.#jobs.get(answer.id);
    this.#jobs.delete(answer.id);
    if ('update' in answer) job?.resolve(answer.update);
    else job?.reject(new UpdateError('MALFORMED', answer.malformed));
  }

  #end(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const job of jobs) doHere(job);
  }
}

function doHere({ request: { updates, stateVector }, resolve }: Job): void {
  const merged = mergeHere.merge(updates);
  resolve(stateVector === undefined ? merged : merged.then((whole) => mergeHere.diff(whole, stateVector)));
}
