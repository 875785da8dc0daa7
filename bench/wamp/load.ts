import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';
import { RawPeer } from './raw-peer.js';

interface LoadConfig {
  readonly kind: 'calls' | 'events';
  readonly inFlight: number;
  readonly subscribers?: number;
  readonly server: { readonly port: number; readonly path: string };
}

type Load = (seconds: number) => Promise<LoadResult>;

// One write per turn carries what a turn has to say.
class Outbox {
  #texts: string[] = [];
  readonly #peer: RawPeer;

  constructor(peer: RawPeer) {
    this.#peer = peer;
  }

  push(text: string): void {
    if (this.#texts.length === 0) setImmediate(() => this.#flush());
    this.#texts.push(text);
  }

  #flush(): void {
    this.#peer.send(this.#texts);
    this.#texts = [];
  }
}

/** `inFlight` calls of add2 under way; every result is checked. */
async function prepareCalls({ inFlight, server }: LoadConfig): Promise<Load> {
  const [callee, caller] = [
    await RawPeer.join(server.port, server.path),
    await RawPeer.join(server.port, server.path),
  ];
  const registered = await callee.ask('[64,1,{},"com.bench.add2"]');
  if (registered[0] !== 65) throw new Error(JSON.stringify(registered));
  const answers = new Outbox(callee);
  callee.onText = (text) => {
    const [type, request, , , args] = JSON.parse(text) as [number, number, number, object, [number, number]];
    if (type === 68) answers.push(`[70,${request},{},[${args[0] + args[1]}]]`);
  };
  const requests = new Outbox(caller);
  let id = 0;
  return (seconds) =>
    measure(seconds, 1, (latencies, isOver, finish) => {
      const sent = new Map<number, number>();
      const call = (): void => {
        id++;
        sent.set(id, performance.now());
        requests.push(`[48,${id},{},"com.bench.add2",[${id},7]]`);
      };
      caller.onText = (text) => {
        const [type, request, , args] = JSON.parse(text) as [number, number, object, [number]];
        if (type !== 50 || args[0] !== request + 7) throw new Error(text);
        latencies.add((performance.now() - sent.get(request)!) * 1000);
        sent.delete(request);
        if (!isOver()) call();
        else if (sent.size === 0) finish();
      };
      for (let i = 0; i < inFlight; i++) call();
    });
}

/** A publisher with `inFlight` events under way, each of which is to reach every subscriber. */
async function prepareEvents({ inFlight, subscribers = 1, server }: LoadConfig): Promise<Load> {
  const publisher = await RawPeer.join(server.port, server.path);
  const peers: RawPeer[] = [];
  for (let i = 0; i < subscribers; i++) {
    const peer = await RawPeer.join(server.port, server.path);
    const subscribed = await peer.ask('[32,1,{},"com.bench.topic"]');
    if (subscribed[0] !== 33) throw new Error(JSON.stringify(subscribed));
    peers.push(peer);
  }
  const requests = new Outbox(publisher);
  let id = 0;
  return (seconds) =>
    measure(seconds, subscribers, (latencies, isOver, finish) => {
      const sentMs: number[] = [];
      let deliveries = 0;
      const publish = (): void => {
        id++;
        sentMs.push(performance.now());
        requests.push(`[16,${id},{},"com.bench.topic",["${'x'.repeat(64)}"]]`);
      };
      for (const peer of peers) {
        peer.onText = (text) => {
          if (!text.startsWith('[36,')) throw new Error(text);
          // With more than one event in flight these are as many deliveries as one event has.
          if (++deliveries % subscribers !== 0) return;
          latencies.add((performance.now() - sentMs.shift()!) * 1000);
          if (!isOver()) publish();
          else if (sentMs.length === 0) finish();
        };
      }
      for (let i = 0; i < inFlight; i++) publish();
    });
}

type Drive = (latencies: Latencies, isOver: () => boolean, finish: () => void) => void;

/** Drives for `seconds` and until everything was answered. */
async function measure(seconds: number, opsPerLatency: number, drive: Drive): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  await new Promise<void>((resolve) => drive(latencies, () => performance.now() >= endMs, resolve));
  return {
    ops: latencies.count * opsPerLatency,
    seconds: (performance.now() - startMs) / 1000,
    latencyP50Micros: latencies.quantile(0.5),
    latencyP99Micros: latencies.quantile(0.99),
  };
}

let load: Load | undefined;

answerParent({
  async prepare(config: LoadConfig) {
    load = config.kind === 'calls' ? await prepareCalls(config) : await prepareEvents(config);
  },
  measure: ({ seconds }: { seconds: number }) => load!(seconds),
});
