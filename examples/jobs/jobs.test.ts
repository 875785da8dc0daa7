import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChoraleServer } from 'chorale';
import { connect, meta } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { REALM } from './jobs-api.js';
import type { JobsApi, WorkerStatus } from './jobs-api.js';
import { startJobsServer } from './jobs-server.js';
import { bundleWorker, startWorkerProcess } from './testing/worker-process.js';
import { countPrimes } from './worker/count-primes.js';
import { startWorker } from './worker/worker.js';
import { Job } from './web/job.js';

test('primes are counted', async () => {
  const counting = countPrimes(50_000);
  const steps: number[] = [];
  let step = await counting.next();
  for (; step.done !== true; step = await counting.next()) steps.push(step.value.done);
  expect([steps, step.value]).toEqual([[20_000, 40_000, 50_000], 5133]);
});

describe('a page and a pool of workers', () => {
  let server: ChoraleServer;
  let page: Client<JobsApi>;
  let lines: string[];
  const clients: Client<JobsApi>[] = [];

  beforeEach(async () => {
    server = await startJobsServer();
    lines = [];
    for (const name of ['ada', 'grace']) {
      const url = `tcp://127.0.0.1:${server.port}`;
      clients.push(await startWorker({ url, name, onLine: (text) => lines.push(`${name} ${text}`) }));
    }
    page = await connect<JobsApi>(server.url, { realm: REALM });
    clients.push(page);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await server.close({ drainMs: 0 });
  });

  /** A job, and what the page shows of it. */
  function start(limit: number): { job: Job; shown: string[] } {
    const shown: string[] = [];
    const job = new Job(page, limit, ({ state }) => {
      if (state.kind === 'running') shown.push(`${state.progress.done}/${state.progress.of}`);
      else if (state.kind === 'done') shown.push(`${state.primes} primes, found by ${state.worker}`);
      else shown.push(state.kind === 'failed' ? state.text : state.kind);
    });
    return { job, shown };
  }

  test('a job shows its progress and its result', async () => {
    const { shown } = start(50_000);
    await expect.poll(() => shown.at(-1)).toMatch(/primes/);
    expect(shown).toEqual(['20000/50000', '40000/50000', '50000/50000', '5133 primes, found by ada']);
  });

  test('jobs are spread over the workers', async () => {
    const jobs = [start(1000), start(1000)];
    await expect.poll(() => jobs.map(({ job }) => job.state.kind)).toEqual(['done', 'done']);
    const workers = jobs.map(({ shown }) => /(ada|grace)$/.exec(shown.at(-1)!)?.[0]);
    expect(new Set(workers)).toEqual(new Set(['ada', 'grace']));
  });

  test('a cancelled job stops the worker, too', async () => {
    const { job, shown } = start(1_000_000_000);
    await expect.poll(() => shown.length).toBeGreaterThan(1);
    job.cancel();
    await expect.poll(() => shown.at(-1)).toBe('cancelled');
    await expect.poll(() => lines).toContain('ada was stopped');
  });

  test('a page that is closed stops its jobs', async () => {
    const { shown } = start(1_000_000_000);
    await expect.poll(() => shown.length).toBeGreaterThan(1);
    await page.close();
    await expect.poll(() => lines).toContain('ada was stopped');
  });

  test('a job moves on when its worker is gone, and fails when there is none', async () => {
    const { job, shown } = start(1_000_000_000);
    await expect.poll(() => shown.length).toBeGreaterThan(1);
    await clients[0]!.close();
    await expect.poll(() => lines).toContain('grace counts the primes below 1000000000');
    expect(job.lost).toEqual(['ada']);
    await clients[1]!.close();
    await expect.poll(() => shown.at(-1)).toBe('There is no worker to do it.');
  });

  test('everybody hears how the workers are, whenever he comes', async () => {
    const told = new Map<string, WorkerStatus>();
    await page.subscribe('jobs.workers', ({ topic, args: [status] }) => told.set(topic, status), {
      matchPolicy: 'prefix',
      getRetained: true,
    });
    const ada = { name: 'ada', running: 0, finished: 0, isHere: true };
    const grace = { ...ada, name: 'grace' };
    await expect.poll(() => [...told.values()]).toEqual([ada, grace]);
    start(1000);
    await expect.poll(() => [...told.values()]).toEqual([{ ...ada, finished: 1 }, grace]);
    await clients[1]!.close();
    await expect.poll(() => [...told.values()][1]).toEqual({ ...grace, isHere: false });
  });

  test('the page is served', async () => {
    const html = await (await fetch(`${server.url}/`)).text();
    expect(html).toContain('<title>Jobs</title>');
  });
});

test('a worker process outlives its server, and comes back to the next one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-worker-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const before = await startJobsServer();
  const { port } = before;
  startWorkerProcess(await bundleWorker(folder), port, 'ada');
  await expect.poll(() => calleesOf(before)).toBe(1);
  await before.close({ drainMs: 0 });
  const after = await startJobsServer({ port });
  onTestFinished(() => after.close({ drainMs: 0 }));
  await expect.poll(() => calleesOf(after)).toBe(1);
});

async function calleesOf(server: ChoraleServer): Promise<number> {
  await using client = await connect(server.url, { realm: REALM });
  const { registrations } = meta(client);
  const id = await registrations.match('jobs.count_primes');
  return id === null ? 0 : await registrations.countCallees(id);
}
