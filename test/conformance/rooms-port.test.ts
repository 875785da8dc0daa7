import { afterEach, describe, expect, it } from 'vitest';

import type { RoomDefinitions } from '../../src/documents/room-definition.js';
import { loadModule } from '../../src/module/load-module.js';
import { schema } from '../../src/module/schema.js';
import { connect, type WebSocketClient } from '../../src/protocols/rooms/wires/index.js';
import { createServer } from '../../src/server/create-server.js';

/* What our client can do only where a Chorale server is at the other end. */

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function serve(rooms: RoomDefinitions): Promise<() => Promise<WebSocketClient>> {
  const server = await createServer({ databases: { notes: loadModule({ default: schema({}) }) }, rooms });
  cleanups.push(() => server.close({ drainMs: 0 }));
  return async () => {
    const client = await connect('websocket', { id: 'r', host: '127.0.0.1', port: server.port });
    cleanups.push(() => client.close());
    return client;
  };
}

const insert = ({ doc }: WebSocketClient, text: string): void => doc.getText('t').insert(0, text);

describe('our client on a Chorale server', () => {
  it('hears that what it edited is on disk, also across a lost connection', async () => {
    const open = await serve({ '*path': {} });
    const client = await open();
    insert(client, 'a');
    await Promise.all([client.whenSaved(), client.whenSaved()]);
    insert(client, 'b');
    const saved = client.whenSaved();
    await client.channel?.close();
    insert(client, 'c');
    await saved;
    const other = await open();
    expect(other.doc.getText('t').toJSON()).toMatch(/ba$/);
  });

  it('does not hear it of a document that it may not write, nor after its end', async () => {
    const open = await serve({ '*path': { authorize: () => 'read' } });
    const client = await open();
    insert(client, 'not allowed');
    const saved = client.whenSaved();
    await expect.poll(() => String(client.error)).toBe('Error: this document is read-only for you');
    expect(client.status).toBe('connected');
    await client.close();
    await expect(saved).rejects.toThrow('the client was closed');
  });

  it('says at once that it was not let in, and does not ask for ever', async () => {
    let asked = 0;
    const authorize = (): 'deny' => ((asked += 1), 'deny');
    const open = await serve({ '*path': { authorize } });
    await expect(open()).rejects.toThrow('you may not use this document');
    expect(asked).toBe(1);
  });
});
