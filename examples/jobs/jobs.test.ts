import type { ChoraleServer } from 'chorale';
import { connect } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REALM } from './jobs-api.js';
import type { JobsApi } from './jobs-api.js';
import { startJobsServer } from './jobs-server.js';
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
      if (state.kind === 'running') shown.push(`${state.progress?.done}/${state.progress?.of}`);
      else shown.push(`${state.kind}: ${state.text}`);
    });
    return { job, shown };
  }

  test('a job shows its progress and its result', async () => {
    const { shown } = start(50_000);
    await expect.poll(() => shown.at(-1)).toMatch(/^done/);
    expect(shown).toEqual(['20000/50000', '40000/50000', '50000/50000', 'done: 5133 primes, found by ada']);
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
    await expect.poll(() => shown.at(-1)).toBe('stopped: cancelled');
    await expect.poll(() => lines).toContain('ada was stopped');
  });

  test('a page that is closed stops its jobs', async () => {
    const { shown } = start(1_000_000_000);
    await expect.poll(() => shown.length).toBeGreaterThan(1);
    await page.close();
    await expect.poll(() => lines).toContain('ada was stopped');
  });

  test('a worker that is gone is an error, and the next job goes to another one', async () => {
    const { shown } = start(1_000_000_000);
    await expect.poll(() => shown.length).toBeGreaterThan(1);
    await clients[0]!.close();
    await expect.poll(() => shown.at(-1)).toMatch(/^stopped: .*wamp\.error\.canceled/);
    const next = start(1000);
    await expect.poll(() => next.shown.at(-1)).toBe('done: 168 primes, found by grace');
  });

  test('the page is served', async () => {
    const html = await (await fetch(`${server.url}/`)).text();
    expect(html).toContain('<title>Jobs</title>');
  });
});
