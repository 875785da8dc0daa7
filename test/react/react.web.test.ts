import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page, WebSocket } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBrowser, openBrowser } from '../../examples/chat/testing/browser.js';
import { startChat } from '../../examples/chat/testing/chat-server.js';
import { ByteReader } from '../../src/base/byte-reader.js';
import { decodeResumableClientMessage } from '../../src/protocols/spacetimedb/messages/resume-messages.js';
import type { ChoraleServer } from '../../src/server/create-server.js';

const executable = findBrowser();
if (executable === undefined) {
  process.stderr.write('react.web.test.ts is skipped: no Chromium here. Name it in CHORALE_CHROMIUM.\n');
}

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** A page, its sockets, and what it has sent through them. */
interface Tab {
  readonly page: Page;
  readonly sockets: WebSocket[];
  readonly sent: string[];
}

describe.skipIf(executable === undefined)('chorale/react under StrictMode', () => {
  let folder: string;
  let browser: Browser;
  let server: ChoraleServer;
  let tabs: Tab[] = [];
  let problems: string[] = [];

  beforeAll(async () => {
    if (executable === undefined) throw new Error('CHORALE_REQUIRE_BROWSER is set, and there is no browser');
    folder = await mkdtemp(join(tmpdir(), 'chorale-react-'));
    await mkdir(join(folder, 'public'));
    await writeFile(
      join(folder, 'public', 'index.html'),
      '<!doctype html><title>test</title><link rel="icon" href="data:,"><div id="root"></div><script src="page.js"></script>',
    );
    await build({
      entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
      outfile: join(folder, 'public', 'page.js'),
      bundle: true,
      format: 'iife',
      // Development: StrictMode does nothing in production.
      define: { 'process.env.NODE_ENV': '"development"' },
      alias: {
        'chorale/client': source('protocols/spacetimedb/client/index.ts'),
        'chorale/react': source('protocols/spacetimedb/react/index.ts'),
      },
      logLevel: 'warning',
    });
    browser = await openBrowser(executable);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const startServer = (port = 0): Promise<ChoraleServer> =>
    startChat({ port, staticDirectory: join(folder, 'public'), dataDirectory: join(folder, 'data') });

  beforeEach(async () => {
    server = await startServer();
    tabs = [];
    problems = [];
  });

  afterEach(async () => {
    await Promise.all(tabs.map(({ page }) => page.context().close()));
    await server.close({ drainMs: 0 });
    await rm(join(folder, 'data'), { recursive: true, force: true });
    expect(problems).toEqual([]);
  });

  async function open(hash = ''): Promise<Tab> {
    const page = await (await browser.newContext()).newPage();
    const tab: Tab = { page, sockets: [], sent: [] };
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      const isExpected = /WebSocket connection|Failed to load resource|React DevTools/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !isExpected) problems.push(message.text());
    });
    page.on('websocket', (socket) => {
      tab.sockets.push(socket);
      socket.on('framesent', ({ payload }) => tab.sent.push(...describeFrame(payload as Buffer)));
    });
    tabs.push(tab);
    await page.goto(`${server.url}/${hash}`);
    return tab;
  }

  const text = ({ page }: Tab, selector: string): Promise<string | null> => page.textContent(selector);
  const sees = (tab: Tab, selector: string, value: string): PromiseLike<void> =>
    expect.poll(() => text(tab, selector)).toBe(value);
  const isReady = ({ page }: Tab, selector: string): Promise<string | null> =>
    page.getAttribute(selector, 'data-ready');
  const events = ({ page }: Tab): Promise<string[]> => page.evaluate(() => window.app.events);

  /** Forms submit what ends with `!`. */
  const enter = ({ page }: Tab, field: 'name' | 'text', value: string): Promise<void> =>
    page.fill(`#${field}`, `${value}!`);

  test('there is one connection, and one subscription for each different query', async () => {
    const ada = await open();
    await sees(ada, '#status', 'online');
    await sees(ada, '#people', 'somebody');
    await sees(ada, '#people2', 'somebody');
    await expect.poll(() => isReady(ada, '#messages')).toBe('true');
    expect(ada.sockets).toHaveLength(1);
    expect(ada.sent.toSorted()).toEqual([
      'subscribe SELECT * FROM "message"',
      'subscribe SELECT * FROM "user" WHERE "user"."online" = TRUE',
    ]);
    expect(await text(ada, '#disabled')).toBe('0 false');
  });

  test('rows are live, and only those of the query', async () => {
    const [ada, bob] = [await open(), await open()];
    await enter(ada, 'name', 'Ada');
    await sees(bob, '#people', 'Ada, somebody');
    await enter(bob, 'name', 'Bob');
    await sees(ada, '#people', 'Ada, Bob');
    await enter(bob, 'text', 'hello');
    await sees(ada, '#messages', 'hello');
    await bob.page.context().close();
    tabs = [ada];
    await sees(ada, '#people', 'Ada');
    const told = (await events(ada)).filter((event) => event.startsWith('people '));
    expect(told).toEqual([
      'people + somebody',
      'people + somebody',
      'people somebody > Ada',
      'people somebody > Bob',
      'people - Bob',
    ]);
  });

  test('a reducer resolves, or rejects with what its author says', async () => {
    const ada = await open();
    await enter(ada, 'name', 'Ada');
    await sees(ada, '#outcome', 'done');
    await enter(ada, 'name', '  ');
    await sees(ada, '#outcome', 'SenderError: Names must not be empty');
  });

  test('a call before there is a connection waits for it', async () => {
    const ada = await open('#early');
    // Twice, as StrictMode runs effects twice.
    await expect
      .poll(async () => (await events(ada)).filter((event) => event === 'early done'))
      .toHaveLength(2);
    await sees(ada, '#messages', 'earlyearly');
  });

  test('many rows of one message are one rendering', async () => {
    const ada = await open();
    for (let i = 1; i <= 30; i++) {
      await enter(ada, 'text', `m${i}`);
      await sees(ada, '#messages li:last-child', `m${i}`);
    }
    const bob = await open();
    await sees(bob, '#messages li:last-child', 'm30');
    expect(await bob.page.evaluate(() => window.app.messageCounts)).toEqual([0, 30]);
  });

  test('a query ends with the last component that asks for it, and begins again', async () => {
    const ada = await open();
    await expect.poll(() => isReady(ada, '#people')).toBe('true');
    await ada.page.evaluate(() => window.app.show('people', false));
    await expect.poll(() => ada.sent.filter((message) => message === 'unsubscribe')).toHaveLength(1);
    await ada.page.evaluate(() => window.app.show('people', true));
    await sees(ada, '#people2', 'somebody');
    expect(ada.sent.filter((message) => message.includes('"user"'))).toHaveLength(2);
    expect(ada.sockets).toHaveLength(1);
  });

  test('a connection that broke comes back as the same person; rows stay on the screen meanwhile', async () => {
    const ada = await open();
    await enter(ada, 'text', 'before');
    await sees(ada, '#messages', 'before');
    const identity = await ada.page.getAttribute('#status', 'data-identity');
    const { port } = server;
    await server.close({ drainMs: 0 });
    await sees(ada, '#status', 'away');
    expect(await text(ada, '#messages')).toBe('before');
    expect(await isReady(ada, '#messages')).toBe('false');
    server = await startServer(port);
    await sees(ada, '#status', 'online');
    await expect.poll(() => isReady(ada, '#messages')).toBe('true');
    expect(await text(ada, '#messages')).toBe('before');
    expect(await ada.page.getAttribute('#status', 'data-identity')).toBe(identity);
    await enter(ada, 'text', 'after');
    await sees(ada, '#messages', 'beforeafter');
  });

  test('nothing is left when the provider leaves', async () => {
    const [ada, bob] = [await open(), await open()];
    await sees(bob, '#people', 'somebody, somebody');
    await sees(ada, '#status', 'online');
    await ada.page.evaluate(() => window.app.unmount());
    await expect.poll(() => ada.sockets.map((socket) => socket.isClosed())).toEqual([true]);
    await sees(bob, '#people', 'somebody');
  });
});

/** The client's messages of one frame. */
function describeFrame(payload: Buffer): string[] {
  const reader = new ByteReader(payload);
  const messages: string[] = [];
  while (reader.remaining > 0) {
    const message = decodeResumableClientMessage(reader);
    messages.push(message.kind === 'subscribe' ? `subscribe ${message.queries.join('; ')}` : message.kind);
  }
  return messages;
}
