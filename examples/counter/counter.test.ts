import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'chorale/engineio';
import { describe, expect, onTestFinished, test } from 'vitest';

import { buildPage, findBrowser, openBrowser } from '../chat/testing/browser.js';
import { startCounterServer } from './counter-server.js';

const PAGE = {
  example: import.meta.dirname,
  script: 'counter.js',
  entries: { 'chorale/engineio': 'protocols/engineio/client/index.ts' },
};

async function start(staticDirectory?: string): Promise<string> {
  const server = await startCounterServer(staticDirectory === undefined ? {} : { staticDirectory });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return server.url;
}

test('everybody sees one counter, whatever his transport', async () => {
  const url = await start();
  const seen: Record<string, string[]> = { polling: [], websocket: [] };
  const clients = ['polling', 'websocket'].map((transport) => {
    const client = new Client();
    onTestFinished(() => client.disconnect({ abort: true }));
    client.on('message', (text: string) => void seen[transport]!.push(text));
    return client.connect(url, { engineioPath: 'counter', transports: transport }).then(() => client);
  });
  const [polling, webSocket] = await Promise.all(clients);
  await polling!.send('+1');
  await expect.poll(() => seen['websocket']).toEqual(['{"value":0}', '{"value":1}']);
  await webSocket!.send('+1');
  await expect.poll(() => seen['polling']).toEqual(['{"value":0}', '{"value":1}', '{"value":2}']);
});

const executable = findBrowser();
if (executable === undefined) {
  process.stderr.write('counter.test.ts: the page is skipped: no Chromium here.\n');
}

describe.skipIf(executable === undefined)('the page', () => {
  async function open(path: string): Promise<import('playwright-core').Page> {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-counter-'));
    await buildPage(PAGE, folder);
    const url = await start(folder);
    const browser = await openBrowser(executable!);
    onTestFinished(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });
    const page = await browser.newPage();
    await page.goto(url + path);
    return page;
  }

  test('begins with polling, moves to WebSocket, and counts', async () => {
    const page = await open('/');
    await expect.poll(() => page.textContent('#transport')).toBe('websocket');
    const history = await page.locator('#history li').allTextContents();
    expect(history.map((line) => line.split(': ')[1])).toEqual(['polling', 'websocket']);
    await page.click('#more');
    await page.click('#more');
    await page.click('#less');
    await expect.poll(() => page.textContent('#value')).toBe('1');
    const shot = process.env['COUNTER_SCREENSHOT'];
    if (shot !== undefined) await page.screenshot({ path: shot });
  });

  test('works the same where only polling does', async () => {
    const page = await open('/?transports=polling');
    await expect.poll(() => page.textContent('#transport')).toBe('polling');
    await page.click('#more');
    await expect.poll(() => page.textContent('#value')).toBe('1');
  });
});
