import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Listener } from '../net/listener.js';
import { serveFolder } from './static-files.js';

describe('static files', () => {
  let base: string;
  let listener: Listener;
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${listener.url}${path}`, init);

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'chorale-static-'));
    await mkdir(join(base, 'site', 'sub'), { recursive: true });
    await writeFile(join(base, 'secret.txt'), 'secret');
    await writeFile(join(base, 'site', 'index.html'), '<h1>home</h1>');
    await writeFile(join(base, 'site', 'sub', 'index.html'), 'sub');
    await writeFile(join(base, 'site', 'a b.js'), 'let a');
    await writeFile(join(base, 'site', '.env'), 'TOKEN=1');
    await symlink(join(base, 'secret.txt'), join(base, 'site', 'link.txt'));
    listener = await Listener.listen();
    listener.router.fallback(await serveFolder(join(base, 'site')));
  });

  afterAll(async () => {
    await listener.close({ drainMs: 0 });
    await rm(base, { recursive: true });
  });

  it('a folder is answered by its index.html', async () => {
    const home = await get('/');
    expect([home.status, home.headers.get('content-type'), await home.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<h1>home</h1>',
    ]);
    expect(await (await get('/sub/')).text()).toBe('sub');
  });

  it('a name is percent-decoded once', async () => {
    expect(await (await get('/a%20b.js')).text()).toBe('let a');
  });

  it('an unchanged file is answered with 304', async () => {
    const etag = (await get('/')).headers.get('etag')!;
    expect((await get('/', { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it.each(['/%2e%2e/secret.txt', '/..%2fsecret.txt', '/link.txt', '/.env', '/nothing', '/a%00b'])(
    '%s leads nowhere',
    async (path) => {
      expect([400, 404]).toContain((await get(path)).status);
    },
  );

  it('only GET and HEAD are answered', async () => {
    expect((await get('/', { method: 'POST', body: 'x' })).status).toBe(405);
    const head = await get('/', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
