import { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'spacetimedb';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { runClientSuite } from '../test/conformance/client.js';
import type { ClientSuite } from '../test/conformance/client.js';
import { PROBE_DATABASE, startProbeServer } from '../test/conformance/probe/server.js';
import { DbConnection, tables } from './generated/probe-spacetimedb/index.js';

/*
 * The npm package `spacetimedb`, unmodified, with bindings that we generated, on our server. Its log is kept: a cache that
 * does not add up is only logged by it.
 */

const serverErrors: unknown[] = [];
let logged: string[] = [];

/** What the SDK negotiated, most recent last. */
const negotiated: string[] = [];

/** The platform's WebSocket, offering some of the protocols that the SDK offers. */
function offering(
  protocols: readonly string[],
): new (url: string | URL, offered?: string | string[]) => UndiciWebSocket {
  return class extends UndiciWebSocket {
    constructor(url: string | URL, offered?: string | string[]) {
      super(
        url,
        [offered ?? []].flat().filter((protocol) => protocols.includes(protocol)),
      );
      this.addEventListener('open', () => negotiated.push(this.protocol));
    }
  };
}

function unexpectedLines(): string[] {
  return logged.filter((line) => !EXPECTED_LINES.some((expected) => expected.test(line)));
}

/** Keeps what is logged, and fails a test whose log holds anything unexpected when it ends. */
function captureConsole(): void {
  beforeEach(() => {
    logged = [];
    for (const level of ['log', 'info', 'debug', 'trace', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
        logged.push(`${level}: ${parts.map(String).join(' ')}`);
      });
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    expect(unexpectedLines()).toEqual([]);
    expect(serverErrors.splice(0)).toEqual([]);
  });
}

/** What the SDK says when all is well, or when a test provokes it. */
const EXPECTED_LINES: readonly RegExp[] = [
  /INFO.* Connecting to SpacetimeDB WS/,
  /ERROR.* Error connecting to SpacetimeDB WS/,
];

const suite: Omit<ClientSuite, 'name'> = {
  // The npm classes have the same words as ours; the compiler compares private parts, too.
  values: { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } as unknown as ClientSuite['values'],
  tables: tables as unknown as ClientSuite['tables'],
  async start() {
    const server = await startProbeServer(serverErrors);
    return {
      builder: () =>
        DbConnection.builder().withUri(server.url).withDatabaseName(PROBE_DATABASE) as unknown as ReturnType<
          Awaited<ReturnType<ClientSuite['start']>>['builder']
        >,
      stop: () => server.close({ drainMs: 100 }),
    };
  },
};

describe('as it is', () => {
  captureConsole();
  runClientSuite({ name: 'npm spacetimedb 2.10.1', ...suite });
});

describe.each(['v3.bsatn.spacetimedb', 'v2.bsatn.spacetimedb'])('offering only %s', (protocol) => {
  beforeAll(() => void vi.stubGlobal('WebSocket', offering([protocol])));
  afterAll(() => void vi.unstubAllGlobals());
  captureConsole();
  beforeEach(() => void negotiated.splice(0));

  runClientSuite({ name: `npm spacetimedb 2.10.1 on ${protocol.slice(0, 2)}`, ...suite });

  test('is what was spoken', async () => {
    const server = await suite.start();
    await new Promise<void>((resolve) => {
      const conn = server
        .builder()
        .onConnect(() => {
          conn.disconnect();
          resolve();
        })
        .build();
    });
    expect(negotiated).toEqual([protocol]);
    await server.stop();
  });
});

let isStuttering = false;

/** Hands TransactionUpdates to the SDK twice, as no server should. */
class StutteringWebSocket extends UndiciWebSocket {
  override set onmessage(handler: UndiciWebSocket['onmessage']) {
    super.onmessage = (event) => {
      handler?.call(this, event);
      const isUpdate = event.data instanceof ArrayBuffer && new Uint8Array(event.data)[1] === 4;
      if (isUpdate && isStuttering) handler?.call(this, event);
    };
  }
}

describe('a server that does not add up', () => {
  beforeAll(() => void vi.stubGlobal('WebSocket', StutteringWebSocket));
  afterAll(() => void vi.unstubAllGlobals());
  captureConsole();

  test('would be seen in the log', async () => {
    const server = await suite.start();
    const connect = (): Promise<{ conn: ReturnType<ReturnType<typeof server.builder>['build']> }> =>
      new Promise((resolve) => {
        const conn = server
          .builder()
          .onConnect(() => resolve({ conn }))
          .build();
      });
    const { conn: watcher } = await connect();
    const { conn: writer } = await connect();
    await new Promise<void>((resolve) => {
      watcher
        .subscriptionBuilder()
        .onApplied(() => resolve())
        .subscribe(['SELECT * FROM label']);
    });
    await writer.reducers.addLabel({ color: 1, text: 'x' });
    await vi.waitFor(() => expect(watcher.db.label.count()).toBe(1n));
    isStuttering = true;
    await writer.reducers.removeLabel({ color: 1, text: 'x' });
    await vi.waitFor(() => expect(unexpectedLines()).not.toEqual([]));
    isStuttering = false;
    watcher.disconnect();
    writer.disconnect();
    await server.stop();
    logged = [];
  });
});
