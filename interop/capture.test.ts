import { readFileSync, writeFileSync } from 'node:fs';
import { WebSocket as UndiciWebSocket } from 'undici';
import { expect, test, vi } from 'vitest';
import { ByteReader } from '../src/base/byte-reader.js';
import { decodeClientMessage } from '../src/protocols/spacetimedb/messages/client-messages.js';
import { PROBE_DATABASE, startProbeServer } from '../test/conformance/probe/server.js';
import { DbConnection } from './generated/probe-spacetimedb/index.js';

/*
 * The frames of a short session of the npm SDK, which test/fuzz/captures.test.ts mutates. UPDATE_CAPTURE=1 writes them anew.
 */

const FILE = new URL('../test/fuzz/npm-spacetimedb-2.10.1.json', import.meta.url);

interface Capture {
  readonly client: string[];
  readonly server: string[];
}

function recordingWebSocket({
  client,
  server,
}: Capture): new (url: string | URL, protocols?: string | string[]) => UndiciWebSocket {
  return class extends UndiciWebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) server.push(Buffer.from(data).toString('hex'));
      });
    }

    override send(data: Parameters<UndiciWebSocket['send']>[0]): void {
      if (ArrayBuffer.isView(data)) {
        client.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'));
      }
      super.send(data);
    }
  };
}

async function runSession(url: string): Promise<void> {
  const connection = await new Promise<DbConnection>((resolve) => {
    DbConnection.builder().withUri(url).withDatabaseName(PROBE_DATABASE).onConnect(resolve).build();
  });
  const subscribe = (...queries: string[]): Promise<{ unsubscribe(): void }> =>
    new Promise((resolve) => {
      const handle = connection
        .subscriptionBuilder()
        .onApplied(() => resolve(handle))
        .subscribe(queries);
    });
  const everything = await subscribe('SELECT * FROM user', 'SELECT * FROM message', 'SELECT * FROM score');
  await connection.reducers.setName({ name: 'ada' });
  await connection.reducers.setName({ name: '' }).catch(() => {});
  await Promise.all(['one', 'two', 'three'].map((text) => connection.reducers.sendMessage({ text })));
  everything.unsubscribe();
  await subscribe("SELECT * FROM message WHERE text = 'two'");
  connection.disconnect();
}

function clientKinds(capture: Capture): string[] {
  return capture.client.flatMap((hex) => {
    const reader = new ByteReader(Uint8Array.from(Buffer.from(hex, 'hex')));
    const kinds: string[] = [];
    while (reader.remaining > 0) kinds.push(decodeClientMessage(reader).kind);
    return kinds;
  });
}

test('the npm SDK says what it said when the capture was made', async () => {
  const capture: Capture = { client: [], server: [] };
  vi.stubGlobal('WebSocket', recordingWebSocket(capture));
  for (const level of ['log', 'info', 'debug', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation(() => {});
  }
  const server = await startProbeServer([]);
  try {
    await runSession(server.url);
  } finally {
    await server.close({ drainMs: 100 });
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  }
  if (process.env['UPDATE_CAPTURE'] === '1') writeFileSync(FILE, `${JSON.stringify(capture, null, 2)}\n`);
  const kept = JSON.parse(readFileSync(FILE, 'utf8')) as Capture;
  expect(clientKinds(capture)).toEqual(clientKinds(kept));
  expect(capture.server.length).toBeGreaterThan(4);
});
