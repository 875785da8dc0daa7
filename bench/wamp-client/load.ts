import { createRequire } from 'node:module';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';
import { connect } from '../../src/protocols/wamp/client/index.node.js';
import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';

/** Calls `add2` of another connection. */
type Add = (a: number, b: number) => PromiseLike<unknown>;

interface LoadConfig {
  readonly library: keyof typeof libraries;
  readonly inFlight: number;
  readonly server: { readonly port: number; readonly path: string };
}

const PROCEDURE = 'com.bench.add2';

async function withOurs(url: string): Promise<Add> {
  const options = { realm: 'realm1' };
  const [callee, caller] = [await connect(url, options), await connect(url, options)];
  await callee.register(PROCEDURE, ({ args: [a, b] }) => (a as number) + (b as number));
  return (a, b) => caller.call(PROCEDURE, [a, b]);
}

interface AutobahnSession {
  register(uri: string, handler: (args: number[]) => number): Promise<unknown>;
  call(uri: string, args: number[]): PromiseLike<unknown>;
}
interface Autobahn {
  readonly Connection: new (options: object) => {
    onopen: (session: AutobahnSession) => void;
    open(): void;
  };
}

async function withAutobahn(url: string): Promise<Add> {
  const autobahn = createRequire(import.meta.url)('autobahn') as Autobahn;
  const join = (): Promise<AutobahnSession> =>
    new Promise((resolve) => {
      const connection = new autobahn.Connection({ url, realm: 'realm1' });
      connection.onopen = resolve;
      connection.open();
    });
  const [callee, caller] = [await join(), await join()];
  await callee.register(PROCEDURE, ([a, b]) => a! + b!);
  return (a, b) => caller.call(PROCEDURE, [a, b]);
}

async function withWampy(url: string): Promise<Add> {
  const join = async (): Promise<Wampy> => {
    const wampy = new Wampy(url, { realm: 'realm1', ws: WebSocket as never });
    await wampy.connect();
    return wampy;
  };
  const [callee, caller] = [await join(), await join()];
  await callee.register(PROCEDURE, ({ argsList }) => {
    const [a, b] = argsList as [number, number];
    return { argsList: [a + b] };
  });
  return async (a, b) => (await caller.call(PROCEDURE, [a, b])).argsList?.[0];
}

const libraries = { chorale: withOurs, autobahn: withAutobahn, wampy: withWampy };

/** Keeps `inFlight` calls under way; every result is checked. */
async function measure(add: Add, inFlight: number, seconds: number): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let ops = 0;
  const lane = async (): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; sentMs = performance.now()) {
      const a = ops++;
      if ((await add(a, 7)) !== a + 7) throw new Error(`${a} + 7 was answered wrongly`);
      latencies.add((performance.now() - sentMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return {
    ops,
    seconds: (performance.now() - startMs) / 1000,
    latencyP50Micros: latencies.quantile(0.5),
    latencyP99Micros: latencies.quantile(0.99),
  };
}

let load: ((seconds: number) => Promise<LoadResult>) | undefined;

answerParent({
  async prepare({ library, inFlight, server }: LoadConfig) {
    const add = await libraries[library](`ws://127.0.0.1:${server.port}${server.path}`);
    load = async (seconds) => await measure(add, inFlight, seconds);
  },
  async measure({ seconds }: { readonly seconds: number }) {
    return await load!(seconds);
  },
});
