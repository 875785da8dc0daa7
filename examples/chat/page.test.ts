import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { buildPage, findBrowser, openBrowser } from './testing/browser.js';
import { CHAT_FOLDER, startChat } from './testing/chat-server.js';

const PAGE = {
  example: CHAT_FOLDER,
  script: 'chat.js',
  entries: { 'chorale/client': 'protocols/spacetimedb/client/index.ts' },
};

const executable = findBrowser();
if (executable === undefined) {
  process.stderr.write(
    'page.test.ts is skipped: no Chromium here. Install one or name it in CHORALE_CHROMIUM.\n',
  );
}

describe.skipIf(executable === undefined)('the page', () => {
  let folder: string;
  let browser: Browser;
  let server: ChoraleServer;
  let pages: Page[] = [];
  let problems: string[] = [];

  beforeAll(async () => {
    if (executable === undefined) throw new Error('CHORALE_REQUIRE_BROWSER is set, and there is no browser');
    folder = await mkdtemp(join(tmpdir(), 'chorale-page-'));
    await buildPage(PAGE, join(folder, 'public'));
    browser = await openBrowser(executable);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    server = await start();
    pages = [];
    problems = [];
  });

  afterEach(async () => {
    for (const page of pages) await page.context().close();
    await server.close({ drainMs: 0 });
    await rm(join(folder, 'data'), { recursive: true, force: true });
    expect(problems).toEqual([]);
  });

  function start(port = 0): Promise<ChoraleServer> {
    const directories = { staticDirectory: join(folder, 'public'), dataDirectory: join(folder, 'data') };
    return startChat({ port, ...directories });
  }

  /** A window of a person of its own. */
  async function openWindow(path = '/'): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    pages.push(page);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // A server that is away is what some tests are about; the browser says so by itself.
      const isNetwork = /ERR_CONNECTION_REFUSED|WebSocket connection|status of 401/.test(message.text());
      if (message.type() === 'error' && !isNetwork) problems.push(message.text());
    });
    await page.goto(server.url + path);
    await page.locator('body[data-state=online]').waitFor();
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  }

  async function rename(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: /^(Set|Edit) name$/ }).click();
    await page.getByLabel('Your name').fill(name);
    await page.keyboard.press('Enter');
  }

  const bubbles = (page: Page): Promise<string[]> => page.locator('.bubble').allTextContents();
  const online = (page: Page): Promise<string[]> => page.locator('.person').allTextContents();

  test('two windows chat, and each sees who the other is', async () => {
    const [ada, bob] = [await openWindow(), await openWindow()];
    await ada.getByText('Nobody has said anything yet').waitFor();
    await rename(ada, 'Ada');
    await rename(bob, 'Bob');
    await say(ada, 'Hello, who is there?');
    await bob.getByText('Hello, who is there?').waitFor();
    await say(bob, 'Bob is here');
    await ada.getByText('Bob is here').waitFor();
    expect(await bubbles(ada)).toEqual(['Hello, who is there?', 'Bob is here']);
    expect(await bubbles(bob)).toEqual(await bubbles(ada));
    expect(await ada.locator('.message:not(.mine) .sender').allTextContents()).toEqual(['Bob']);
    expect(await ada.getByText('Nobody has said anything yet').isVisible()).toBe(false);
  });

  test('a new name is shown everywhere, also on what was written before', async () => {
    const [ada, bob] = [await openWindow(), await openWindow()];
    await say(ada, 'Guess my name');
    await bob.getByText('Guess my name').waitFor();
    expect(await bob.locator('.message .sender').textContent()).toMatch(/^c200[0-9a-f]{4}$/);
    await rename(ada, 'Ada');
    await bob.locator('.person', { hasText: 'Ada' }).waitFor();
    expect(await bob.locator('.message .sender').textContent()).toBe('Ada');
    expect(await ada.locator('#my-name').textContent()).toBe('Ada');
  });

  test('a name that is refused says why, and Escape leaves everything as it was', async () => {
    const ada = await openWindow();
    await rename(ada, '   ');
    await ada.getByRole('alert').filter({ hasText: 'Names must not be empty' }).waitFor();
    await ada.keyboard.press('Escape');
    expect(await ada.getByRole('button', { name: 'Set name' }).isVisible()).toBe(true);
  });

  test('who leaves is not online any more, but only with his last window', async () => {
    const ada = await openWindow();
    const bob = await openWindow();
    await rename(bob, 'Bob');
    const second = await bob.context().newPage();
    await second.goto(server.url);
    await second.locator('.person', { hasText: 'Bob (you)' }).waitFor();
    await second.close();
    await say(bob, 'still here');
    await ada.getByText('still here').waitFor();
    await expect.poll(() => online(ada)).toContainEqual(expect.stringContaining('Bob'));
    await bob.close();
    await ada.locator('.person', { hasText: 'Bob' }).waitFor({ state: 'detached' });
  });

  test('a reload is the same person, `?client=2` is another one', async () => {
    const ada = await openWindow();
    await rename(ada, 'Ada');
    await ada.locator('#my-name', { hasText: 'Ada' }).waitFor();
    await ada.reload();
    await ada.locator('#my-name', { hasText: 'Ada' }).waitFor();
    await ada.goto(`${server.url}/?client=2`);
    await ada.locator('#my-name', { hasText: /^c200/ }).waitFor();
    expect(await ada.locator('#second').getAttribute('href')).toBe('?client=3');
  });

  test('a lost server is said, and the conversation goes on when it is back', async () => {
    const ada = await openWindow();
    await say(ada, 'before');
    await ada.getByText('before').waitFor();
    const { port } = server;
    await server.close({ drainMs: 0 });
    await ada.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
    expect(await ada.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    expect(await bubbles(ada)).toEqual(['before']);
    server = await start(port);
    await ada.locator('body[data-state=online]').waitFor();
    await ada.getByRole('status').waitFor({ state: 'hidden' });
    await say(ada, 'after');
    await expect.poll(() => bubbles(ada)).toEqual(['before', 'after']);
  });

  test('a server with another key knows nobody: one gets a new identity and is told', async () => {
    const ada = await openWindow();
    const before = await ada.locator('#my-name').textContent();
    const { port } = server;
    await server.close({ drainMs: 0 });
    await rm(join(folder, 'data'), { recursive: true });
    server = await start(port);
    await ada.getByRole('status').filter({ hasText: 'you are somebody new' }).waitFor();
    await ada.locator('#my-name', { hasNotText: before ?? '' }).waitFor();
  });

  test('everything can be done with the keyboard', async () => {
    const ada = await openWindow();
    await ada.keyboard.press('Tab');
    await ada.keyboard.press('Enter');
    await ada.keyboard.type('Ada');
    await ada.keyboard.press('Enter');
    await ada.locator('#my-name', { hasText: 'Ada' }).waitFor();
    await ada.getByLabel('Message', { exact: true }).focus();
    await ada.keyboard.type('one');
    await ada.keyboard.press('Shift+Enter');
    await ada.keyboard.type('two');
    await ada.keyboard.press('Enter');
    await expect.poll(() => bubbles(ada)).toEqual(['one\ntwo']);
  });

  test('what somebody writes is text, never a part of the page', async () => {
    const ada = await openWindow();
    const text = '<img src=x onerror="document.title=1"> & </li>';
    await say(ada, text);
    await expect.poll(() => bubbles(ada)).toEqual([text]);
    expect(await ada.locator('.bubble img').count()).toBe(0);
  });

  test('a reader of earlier messages is not moved, and is told of new ones', async () => {
    const [ada, bob] = [await openWindow(), await openWindow()];
    for (let i = 0; i < 40; i++) await say(ada, `line ${i}`);
    await bob.getByText('line 39').waitFor();
    const scroller = bob.locator('#scroller');
    await scroller.evaluate((element) => (element.scrollTop = 0));
    await say(ada, 'news');
    const button = bob.getByRole('button', { name: 'New messages' });
    await button.waitFor();
    expect(await scroller.evaluate((element) => element.scrollTop)).toBe(0);
    await button.click();
    await button.waitFor({ state: 'hidden' });
    expect(await scroller.evaluate((e) => e.scrollTop + e.clientHeight >= e.scrollHeight - 40)).toBe(true);
  });

  test('a phone shows the conversation, with the people behind a button', async () => {
    const ada = await openWindow();
    await ada.setViewportSize({ width: 390, height: 780 });
    const people = ada.getByRole('complementary', { name: 'People' });
    expect(await people.isVisible()).toBe(false);
    await ada.getByRole('button', { name: '1 online' }).click();
    expect(await people.isVisible()).toBe(true);
    expect(await ada.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
