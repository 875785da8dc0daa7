import { describe, expect, it, onTestFinished } from 'vitest';

import { SimulatedFolders } from '../../../test/sim/simulated-folders.js';
import { schema, t, table } from '../../module/index.js';
import { loadModule } from '../../module/load-module.js';
import type { ModuleSocket } from '../../module/index.js';
import { Client } from '../../protocols/engineio/client/index.node.js';
import { type ChoraleServer, createServer } from '../create-server.js';

/** A module that is told what to do: each message is a list of steps, those in brackets inside a transaction. */
function stepsModule(sockets: ModuleSocket[] = []): object {
  const note = table({ name: 'note' }, { id: t.u64().primaryKey().autoInc() });
  const app = schema({ note });
  const tell = app.reducer({ text: t.string(), fail: t.bool() }, (ctx, { text, fail }) => {
    ctx.db.note.insert({ id: 0n });
    for (const socket of sockets) socket.send(text);
    if (fail) throw new Error('undone');
  });
  const live = app.socket('/live', {
    connect: (_ctx, socket) => void sockets.push(socket),
    message(ctx, socket, data) {
      const run = (steps: string): void => {
        for (const step of steps.split(' ')) {
          if (step === 'throw') throw new Error('undone');
          else if (step === 'all') ctx.broadcast('to all');
          else if (step === 'close') socket.close();
          else if (step === 'count') socket.send(`${socket.bufferedBytes > 0}`);
          else socket.send(step);
        }
      };
      for (const part of String(data)
        .split(/(\[.*?\])/)
        .filter((each) => each.trim() !== '')) {
        if (!part.startsWith('[')) run(part.trim());
        else {
          try {
            ctx.withTx(({ db }) => {
              db.note.insert({ id: 0n });
              run(part.slice(1, -1));
            });
          } catch {
            // It is what the test asked for.
          }
        }
      }
    },
  });
  return { default: app, live, tell };
}

interface Live {
  readonly server: ChoraleServer;
  readonly client: Client;
  readonly messages: unknown[];
  readonly folders: SimulatedFolders;
}

async function open(transports = 'websocket', engineio = {}): Promise<Live> {
  const folders = new SimulatedFolders();
  const server = await createServer({
    databases: { notes: loadModule(stepsModule()) },
    folders,
    engineio,
    onNotice() {},
    onError() {},
  });
  const client = new Client({ logger: { info() {}, error() {} } });
  onTestFinished(async () => {
    for (const disk of folders.disks.values()) disk.faults = {};
    await client.disconnect({ abort: true });
    await server.close({ drainMs: 0 });
  });
  const messages: unknown[] = [];
  client.on('message', (data) => void messages.push(data));
  await client.connect(server.url, { engineioPath: 'live', transports });
  return { server, client, messages, folders };
}

/** Keeps writes of the disk under way until the function that it returns is called. */
function holdDisk({ folders }: Live): () => void {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  folders.only.faults.delay = () => gate;
  return () => {
    folders.only.faults = {};
    release();
  };
}

describe('what is sent inside a transaction', () => {
  it.each(['polling', 'websocket'])(
    'never leaves over %s if the transaction is undone',
    async (transports) => {
      const { client, messages } = await open(transports);
      await client.send('[one all throw] [two]');
      await expect.poll(() => messages).toContain('two');
      expect(messages).toEqual(['two']);
    },
  );

  it('leaves when the transaction is on disk, and what is sent behind it waits its turn', async () => {
    const live = await open();
    const { client, messages } = live;
    const release = holdDisk(live);
    await client.send('before [one all] behind count');
    await expect.poll(() => messages).toEqual(['before']);
    await client.send('[two throw] last');
    // What has been held is sent by the release alone: everything that could overtake it has had its time by this answer.
    await fetch(`${live.server.url}/v1/ping`);
    expect(messages).toEqual(['before']);
    release();
    await expect.poll(() => messages).toContain('last');
    expect(messages).toEqual(['before', 'one', 'to all', 'behind', 'true', 'last']);
  });

  it('leaves before the socket closes', async () => {
    const live = await open();
    const release = holdDisk(live);
    await live.client.send('[one] close');
    await fetch(`${live.server.url}/v1/ping`);
    release();
    await live.client.wait();
    expect(live.messages).toEqual(['one']);
  });

  it('never leaves if the disk fails, nor does what was sent behind it: the socket is closed', async () => {
    const live = await open();
    live.folders.only.faults.beforeOperation = (operation) => {
      if (operation === 'write') throw new Error('EIO');
    };
    await live.client.send('[one] behind');
    await live.client.wait();
    expect(live.messages).toEqual([]);
  });

  it('waits for closing, too: a transaction that is undone closes nothing', async () => {
    const { client, messages } = await open();
    await client.send('[close throw] open');
    await expect.poll(() => messages).toEqual(['open']);
  });

  it('counts for the bound of what may wait for a client', async () => {
    const live = await open('websocket', { queueBytesMax: 1000 });
    const release = holdDisk(live);
    await live.client.send(`[${'x'.repeat(1000)}]`);
    await fetch(`${live.server.url}/v1/ping`);
    expect(live.client.state).toBe('connected');
    await live.client.send('[1]');
    await live.client.wait();
    release();
    expect(live.messages).toEqual([]);
  });

  it('by a reducer leaves the same way', async () => {
    const { server, messages } = await open();
    const { host } = server.database('notes')!;
    const caller = { identity: server.owner.identity, connectionId: undefined, tokenPayload: undefined };
    host.callReducerJson('tell', caller, '["never", true]');
    host.callReducerJson('tell', caller, '["kept", false]');
    await expect.poll(() => messages).toEqual(['kept']);
  });
});
