import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { findBrowser, openBrowser } from '../chat/testing/browser.js';
import { NotesSite } from './testing/notes-site.js';

const executable = findBrowser();
if (executable === undefined) {
  process.stderr.write('notes/page.test.ts is skipped: no Chromium here.\n');
}

describe.skipIf(executable === undefined)('the page', () => {
  let browser: Browser;
  let site: NotesSite;
  let note = 0;
  let pages: Page[] = [];
  let problems: string[] = [];

  beforeAll(async () => {
    site = await NotesSite.build();
    [browser] = await Promise.all([openBrowser(executable!), site.start()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  beforeEach(() => {
    note += 1;
    pages = [];
    problems = [];
  });

  afterEach(async () => {
    for (const page of pages) await page.context().close();
    expect(problems).toEqual([]);
  });

  /** A window of a person of its own, in this test's note. */
  async function openWindow(name: string, query = `?note=note-${note}`): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 1100, height: 760 } })).newPage();
    pages.push(page);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // A server that is away is what some tests are about; the browser says so by itself.
      const isNetwork = /ERR_CONNECTION_REFUSED|ERR_INTERNET|WebSocket connection/.test(message.text());
      if (message.type() === 'error' && !isNetwork) problems.push(message.text());
    });
    await page.goto(site.url + query);
    await saved(page);
    await page.getByRole('button', { name: /change name/ }).click();
    await page.getByLabel('Your name').fill(name);
    await page.keyboard.press('Enter');
    return page;
  }

  const saved = (page: Page): Promise<void> => page.locator('body[data-state=saved]').waitFor();
  const offline = (page: Page): Promise<void> => page.locator('body[data-state=offline]').waitFor();

  async function write(page: Page, text: string, options: { readonly delay?: number } = {}): Promise<void> {
    await page.getByLabel('Note').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(text, options);
  }

  /** Without the names at the cursors, which are in the text's element. */
  const shown = (page: Page, selector = '#editor .cm-line'): Promise<string> =>
    page.locator(selector).evaluateAll((lines) =>
      lines
        .map((line) => {
          const copy = line.cloneNode(true) as HTMLElement;
          for (const cursor of copy.querySelectorAll('.cm-ySelectionCaret')) cursor.remove();
          return copy.textContent.replaceAll('\u2060', '');
        })
        .join('\n'),
    );

  /** How many updates this browser has kept of the note. */
  const keptCount = (page: Page): Promise<number> =>
    page.evaluate(
      (name) =>
        new Promise<number>((resolve) => {
          const opening = indexedDB.open(name);
          opening.addEventListener('success', () => {
            const counting = opening.result.transaction('updates').objectStore('updates').count();
            counting.addEventListener('success', () => {
              opening.result.close();
              resolve(counting.result);
            });
          });
        }),
      `chorale-notes/note-${note}`,
    );

  test('two windows write, and each sees who and where the other is', async () => {
    const [ada, bob] = [await openWindow('Ada'), await openWindow('Bob')];
    await write(ada, 'Plan');
    await expect.poll(() => shown(bob)).toBe('# Plan');
    await write(bob, ' B');
    await expect.poll(() => shown(ada)).toBe('# Plan B');
    await expect.poll(() => ada.locator('#editor .cm-ySelectionInfo').allTextContents()).toEqual(['Bob']);
    await expect.poll(() => bob.locator('#people').allTextContents()).toEqual(['A']);
    expect(await ada.title()).toBe('Plan B');
    await saved(ada);
    await bob.context().close();
    await ada.locator('.cm-ySelectionInfo').waitFor({ state: 'detached' });
  });

  test('who is offline writes on, and comes together with the others', async () => {
    const [ada, bob] = [await openWindow('Ada'), await openWindow('Bob')];
    await ada.context().setOffline(true);
    await offline(ada);
    await write(ada, 'from the train');
    await write(bob, 'from home ');
    expect(await shown(bob)).toBe('# from home ');
    expect(await shown(ada)).toBe('# from the train');
    await ada.context().setOffline(false);
    await expect.poll(() => shown(bob)).toMatch(/from the train/);
    await expect.poll(() => shown(ada)).toBe(await shown(bob));
    await saved(ada);
  });

  test('the server is killed while somebody types: what was written before, then and meanwhile is there when it is back', async () => {
    const [ada, bob] = [await openWindow('Ada'), await openWindow('Bob')];
    await write(ada, 'kept');
    await saved(ada);
    const typing = write(bob, ', typed on and on while the power fails', { delay: 20 });
    await expect.poll(() => shown(ada)).toContain('typed');
    await site.kill();
    await offline(ada);
    await typing;
    const keptBefore = await keptCount(ada);
    await write(ada, ' (by Ada)');
    await expect.poll(() => keptCount(ada)).toBeGreaterThanOrEqual(keptBefore + ' (by Ada)'.length);
    await ada.goto('about:blank');
    await site.start();
    await ada.goto(`${site.url}/?note=note-${note}`);
    await Promise.all([ada, bob].map(saved));
    await expect.poll(() => shown(ada)).toMatch(/^# kept, typed.* \(by Ada\)/);
    await expect.poll(() => shown(bob)).toBe(await shown(ada));
    expect((await shown(bob)).replace(' (by Ada)', '')).toBe('# kept, typed on and on while the power fails');
    const third = await openWindow('Eve');
    expect(await shown(third)).toBe(await shown(bob));
  }, 60_000);

  test('the history shows who wrote what, and brings it back for all', async () => {
    const ada = await openWindow('Ada');
    await write(ada, 'Good words');
    await saved(ada);
    const bob = await openWindow('Bob');
    await bob.getByLabel('Note').click();
    await bob.keyboard.press('Control+A');
    await bob.keyboard.type('Oops');
    await saved(bob);
    await ada.getByRole('button', { name: 'History', exact: true }).click();
    const versions = ada.locator('.version-name');
    await expect.poll(() => versions.allTextContents()).toEqual(['Bob', 'Ada', 'In the beginning']);
    await versions.nth(1).click();
    await expect.poll(() => shown(ada, '#past .cm-line')).toBe('# Good words');
    expect(await shown(bob)).toBe('Oops');
    await ada.getByRole('button', { name: 'Restore' }).click();
    for (const page of [ada, bob]) await expect.poll(() => shown(page)).toBe('# Good words');
    await expect.poll(() => versions.allTextContents()).toEqual(['Ada', 'Bob', 'Ada', 'In the beginning']);
  });

  test('it looks well, in light and dark, also on a phone', async () => {
    const ada = await openWindow('Ada Lovelace', '?note=welcome');
    const bob = await openWindow('Bob', '?note=welcome');
    await write(bob, '\n## Today\n\nWe meet at ten. ');
    await ada.getByRole('button', { name: 'History', exact: true }).click();
    await ada.locator('.version').first().waitFor();
    await ada.locator('#editor .cm-ySelectionInfo').waitFor();
    const folder = process.env['NOTES_SCREENSHOTS'];
    for (const colorScheme of ['light', 'dark'] as const) {
      await ada.emulateMedia({ colorScheme });
      if (folder !== undefined) await ada.screenshot({ path: `${folder}/notes-${colorScheme}.png` });
    }
    await ada.locator('.version').last().click();
    await ada.getByText('· In the beginning').waitFor();
    if (folder !== undefined) await ada.screenshot({ path: `${folder}/notes-past.png` });
    await ada.getByRole('button', { name: 'Close history' }).click();
    await ada.setViewportSize({ width: 390, height: 780 });
    if (folder !== undefined) await ada.screenshot({ path: `${folder}/notes-phone.png` });
    expect(await ada.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
