import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { schema, SenderError, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import type { Module } from '../module/definition/build-module.js';
import { type ChoraleServer, createServer, type ServerOptions } from './create-server.js';

function counterModule(extraColumn = false): Module {
  const counter = table(
    { name: 'counter', public: true },
    { name: t.string().primaryKey(), value: t.u32(), ...(extraColumn ? { more: t.bool() } : {}) },
  );
  const app = schema({ counter });
  const add = app.reducer({ name: t.string(), by: t.u32() }, (ctx, { name, by }) => {
    if (by === 0) throw new SenderError('nothing to add');
    const row = ctx.db.counter.name.find(name);
    if (row === null) ctx.db.counter.insert({ name, value: by } as never);
    else ctx.db.counter.name.update({ ...row, value: row.value + by });
  });
  return loadModule({ default: app, add });
}

describe('createServer', () => {
  let folder: string;
  let servers: ChoraleServer[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chorale-server-'));
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) await server.close({ drainMs: 0 });
    await rm(folder, { recursive: true });
  });

  async function start(options: ServerOptions = {}): Promise<ChoraleServer> {
    const server = await createServer({
      databases: { counter: counterModule() },
      onNotice: () => {},
      ...options,
    });
    servers.push(server);
    return server;
  }

  const call = (server: ChoraleServer, ...args: unknown[]): Promise<Response> =>
    fetch(`${server.url}/v1/database/counter/call/add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });

  async function rows(server: ChoraleServer): Promise<unknown> {
    const response = await fetch(`${server.url}/v1/database/counter/sql`, {
      method: 'POST',
      body: 'SELECT * FROM counter',
    });
    return ((await response.json()) as { rows: unknown }[])[0]!.rows;
  }

  it('an embedded module answers over HTTP', async () => {
    const server = await start();
    expect((await call(server, 'a', 2)).status).toBe(200);
    expect((await call(server, 'a', 3)).status).toBe(200);
    const refused = await call(server, 'a', 0);
    expect([refused.status, await refused.text()]).toEqual([530, 'nothing to add']);
    expect(await rows(server)).toEqual([['a', 5]]);
  });

  it('with a data directory rows, owner and identities outlive the server', async () => {
    const first = await start({ dataDirectory: folder });
    await call(first, 'a', 2);
    const { identity } = first.database('counter')!;
    await first.close();
    const second = await start({ dataDirectory: folder });
    expect(second.owner.identity.isEqual(first.owner.identity)).toBe(true);
    expect(second.database('counter')!.identity.isEqual(identity)).toBe(true);
    await call(second, 'a', 5);
    expect(await rows(second)).toEqual([['a', 7]]);
  });

  it('a second server on the same data directory is refused with the pid of the first', async () => {
    await start({ dataDirectory: folder });
    await expect(createServer({ dataDirectory: folder })).rejects.toThrow(`(pid ${process.pid})`);
  });

  it('changed tables are not run on the stored data, and the data directory stays as it was', async () => {
    const first = await start({ dataDirectory: folder });
    await call(first, 'a', 2);
    await first.close();
    await expect(
      createServer({ dataDirectory: folder, databases: { counter: counterModule(true) } }),
    ).rejects.toThrow(/tables of database `counter` changed/);
    expect(await rows(await start({ dataDirectory: folder }))).toEqual([['a', 2]]);
  });
});
