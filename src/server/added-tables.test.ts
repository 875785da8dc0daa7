import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import type { Module } from '../module/definition/build-module.js';
import { schema, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import { type ChoraleServer, createServer } from './create-server.js';

const pet = table(
  { name: 'pet', public: true },
  { id: t.u64().primaryKey().autoInc(), home: t.object('Home', { street: t.string(), size: t.u8() }) },
);

/** With a table in front of the other: its types stand first, so that those of `pet` move. */
function petsModule(version: 1 | 2): Module {
  const toy = table(
    { name: 'toy', public: true },
    { id: t.u32().primaryKey(), shape: t.object('Shape', { corners: t.u64(), round: t.bool() }) },
  );
  if (version === 1) {
    const app = schema({ pet });
    const adopt = app.reducer({ street: t.string() }, (ctx, { street }) => {
      ctx.db.pet.insert({ id: 0n, home: { street, size: 1 } });
    });
    return loadModule({ default: app, adopt });
  }
  const app = schema({ toy, pet });
  const adopt = app.reducer({ street: t.string() }, (ctx, { street }) => {
    const { id } = ctx.db.pet.insert({ id: 0n, home: { street, size: 2 } });
    ctx.db.toy.insert({ id: Number(id), shape: { corners: 4n, round: false } });
  });
  return loadModule({ default: app, adopt });
}

let folder: string;
let servers: ChoraleServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-tables-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close({ drainMs: 0 });
  await rm(folder, { recursive: true });
});

async function start(module: Module): Promise<ChoraleServer> {
  const databases = { pets: module };
  const server = await createServer({ dataDirectory: folder, databases, onNotice: () => {} });
  servers.push(server);
  return server;
}

async function post(server: ChoraleServer, path: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/v1/database/pets/${path}`, { method: 'POST', headers, body });
  return response.text();
}

const adopt = (server: ChoraleServer, street: string): Promise<string> =>
  post(server, 'call/adopt', JSON.stringify([street]));

async function rows(server: ChoraleServer, tableName: string): Promise<unknown> {
  const text = await post(server, 'sql', `SELECT * FROM ${tableName}`);
  return (JSON.parse(text) as { rows: unknown }[])[0]!.rows;
}

describe('a module that has more tables than the stored one', () => {
  it('is run on the stored rows, after a restart and after the next; one that lacks a table is refused', async () => {
    const first = await start(petsModule(1));
    await adopt(first, 'Elm');
    await first.close();
    for (const expected of [[[1, ['Elm', 1]]], [[1, ['Elm', 1]], expect.anything()]]) {
      const server = await start(petsModule(2));
      expect(await rows(server, 'pet')).toEqual(expected);
      await adopt(server, 'Oak');
      await server.close();
    }
    await expect(start(petsModule(1))).rejects.toThrow(
      /tables of database `pets` changed since its data was stored \(`toy`\)\. Tables can be added/,
    );
    const last = await start(petsModule(2));
    expect(await rows(last, 'toy')).toEqual([
      [expect.any(Number), [4, false]],
      [expect.any(Number), [4, false]],
    ]);
  });

  it('takes over while clients are there: what they follow goes on, in every version of the protocol, and they may follow the new', async () => {
    const server = await start(petsModule(1));
    const clients = await Promise.all(
      ['v1.json.spacetimedb', 'v1.text.spacetimedb'].map((protocol) => follow(server, protocol)),
    );
    const database = server.database('pets')!;
    expect(database.conflictsWith(petsModule(2))).toEqual([]);
    database.swap({ module: petsModule(2), text: undefined, hash: 'second' });
    await adopt(server, 'Oak');
    for (const { heard } of clients) {
      await expect.poll(() => heard.join('\n')).toContain('Oak');
      expect(heard.join('\n')).toMatch(/Oak\W+(?:size\W+)?2\b/);
    }
    const [json] = clients;
    json!.socket.send(
      JSON.stringify({
        SubscribeMulti: { query_strings: ['SELECT * FROM toy'], request_id: 2, query_id: { id: 2 } },
      }),
    );
    await expect.poll(() => json!.heard.join('\n')).toMatch(/corners\W+4\b/);
    expect(await rows(server, 'pet')).toEqual([[1, ['Oak', 2]]]);
    for (const { socket } of clients) socket.terminate();
  });
});

async function follow(
  server: ChoraleServer,
  protocol: string,
): Promise<{ readonly socket: WebSocket; readonly heard: string[] }> {
  const path = protocol.startsWith('v1.text') ? 'database/subscribe/pets' : 'v1/database/pets/subscribe';
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/${path}`, protocol);
  const heard: string[] = [];
  socket.on('message', (data: Buffer) => void heard.push(data.toString()));
  await once(socket, 'open');
  const queries = ['SELECT * FROM pet'];
  const message = protocol.startsWith('v1.text')
    ? { subscribe: { query_strings: queries } }
    : { SubscribeMulti: { query_strings: queries, request_id: 1, query_id: { id: 1 } } };
  socket.send(JSON.stringify(message));
  await expect.poll(() => heard.length).toBe(2);
  return { socket, heard };
}
