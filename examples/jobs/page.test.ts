import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChoraleServer } from 'chorale';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { buildPage, findBrowser, openBrowser } from '../chat/testing/browser.js';
import { startJobsServer } from './jobs-server.js';
import { bundleWorker, startWorkerProcess } from './testing/worker-process.js';

const PAGE = {
  example: import.meta.dirname,
  script: 'jobs.js',
  entries: { 'chorale/wamp': 'protocols/wamp/client/index.ts' },
};

const executable = findBrowser();
if (executable === undefined) {
  process.stderr.write('jobs/page.test.ts is skipped: no Chromium here.\n');
}

describe.skipIf(executable === undefined)('the page of the jobs', () => {
  let folder: string;
  let workerFile: string;
  let browser: Browser;
  let server: ChoraleServer;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chorale-jobs-'));
    await buildPage(PAGE, join(folder, 'public'));
    workerFile = await bundleWorker(folder);
    browser = await openBrowser(executable!);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => void (server = await startServer()));
  afterEach(async () => {
    await server.close({ drainMs: 0 });
    expect(problems.splice(0)).toEqual([]);
  });

  const startServer = (port = 0): Promise<ChoraleServer> =>
    startJobsServer({ port, staticDirectory: join(folder, 'public') });

  async function open(): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    onTestFinished(() => page.context().close());
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // The browser says by itself that a server is away.
      const isNetwork = /ERR_CONNECTION_REFUSED|WebSocket connection/.test(message.text());
      if (message.type() === 'error' && !isNetwork) problems.push(message.text());
    });
    await page.goto(server.url);
    await page.locator('body[data-state=online]').waitFor();
    return page;
  }

  const startWorker = (name: string): (() => void) => startWorkerProcess(workerFile, server.port, name);

  async function startJob(page: Page, limit: number): Promise<void> {
    await page.getByLabel('Count the primes below').fill(String(limit));
    await page.getByRole('button', { name: 'Start' }).click();
  }

  const states = (page: Page): Promise<string[]> => page.locator('.state').allTextContents();
  const workers = (page: Page): Promise<string[]> => page.locator('.who').allTextContents();

  test('a job runs, moves, and is done', async () => {
    startWorker('ada');
    const page = await open();
    await expect.poll(() => workers(page)).toEqual(['ada']);
    await startJob(page, 2_000_000);
    const bar = page.locator('progress');
    const seen = new Set<number>();
    await expect
      .poll(async () => seen.add(await bar.evaluate((element: HTMLProgressElement) => element.value)).size)
      .toBeGreaterThan(2);
    await expect.poll(() => states(page)).toEqual(['done']);
    await page.getByText('148,933 primes, found by ada').waitFor();
    await page.getByText('idle · 1 done').waitFor();
    expect(await page.getByRole('button', { name: /^Cancel/ }).isVisible()).toBe(false);
  });

  test('a cancelled job stops, and its worker is idle again', async () => {
    startWorker('ada');
    const page = await open();
    await expect.poll(() => workers(page)).toEqual(['ada']);
    await startJob(page, 100_000_000);
    await page.getByText(/ada has found/).waitFor();
    await page.getByText('1 job', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel Primes below 100,000,000' }).click();
    await expect.poll(() => states(page)).toEqual(['cancelled']);
    await page.getByText('idle', { exact: true }).waitFor();
  });

  test('a job whose worker is killed goes on with another one; without one it says so', async () => {
    const kill = { ada: startWorker('ada'), grace: startWorker('grace') };
    const page = await open();
    await expect.poll(() => workers(page)).toHaveLength(2);
    await startJob(page, 100_000_000);
    const facts = page.locator('.facts');
    await expect.poll(() => facts.textContent()).toMatch(/^(ada|grace) has found/);
    const first = (await facts.textContent())!.startsWith('ada') ? 'ada' : 'grace';
    const second = first === 'ada' ? 'grace' : 'ada';
    kill[first]();
    await expect
      .poll(() => facts.textContent())
      .toMatch(new RegExp(`^${first} was lost · ${second} has found`));
    expect(await workers(page)).toEqual([second]);
    kill[second]();
    await page.getByText('There is no worker to do it.').waitFor();
    await page.getByText('Nobody is here.').waitFor();
    expect(await states(page)).toEqual(['failed']);
  });

  test('a lost server is said; page and workers come back by themselves', async () => {
    startWorker('ada');
    const page = await open();
    await expect.poll(() => workers(page)).toEqual(['ada']);
    const { port } = server;
    await server.close({ drainMs: 0 });
    await page.getByText('Connection lost').waitFor();
    expect(await workers(page)).toEqual([]);
    server = await startServer(port);
    await page.getByText('Connection lost').waitFor({ state: 'hidden' });
    await expect.poll(() => workers(page)).toEqual(['ada']);
    await startJob(page, 1000);
    await expect.poll(() => states(page)).toEqual(['done']);
  });

  test('a phone has room for everything', async () => {
    startWorker('ada');
    const page = await open();
    await page.setViewportSize({ width: 360, height: 740 });
    await startJob(page, 100_000_000);
    await page.getByText(/ada has found/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
