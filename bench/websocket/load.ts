import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';
import { headerBytes } from '../../src/net/websocket/frame.js';
import { clientFrames, RawWebSocket } from './raw-web-socket.js';

interface LoadConfig {
  readonly kind: 'echo' | 'fan-out';
  readonly connections: number;
  /** Messages per connection (echo) or of the publisher (fan-out) that wait for their answers. */
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly server: { readonly port: number };
}

interface Load {
  measure(seconds: number): Promise<LoadResult>;
}

// What opens at the same time: a server's accept queue holds 511.
const OPEN_AT_ONCE = 100;

async function openAll(port: number, path: string, count: number): Promise<RawWebSocket[]> {
  const sockets: RawWebSocket[] = [];
  while (sockets.length < count) {
    const next = Math.min(OPEN_AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: next }, () => RawWebSocket.open(port, path)))));
  }
  return sockets;
}

/** Keeps `inFlight` messages per connection under way; counts replies by their octets. */
async function prepareEcho(config: LoadConfig): Promise<Load> {
  const { connections, inFlight, payloadBytes, server } = config;
  const sockets = await openAll(server.port, '/echo', connections);
  const block = clientFrames(inFlight, payloadBytes);
  const sentBytes = block.length / Math.max(1, inFlight);
  const replyBytes = headerBytes(payloadBytes) + payloadBytes;
  return {
    measure: (seconds) =>
      measure(seconds, (latencies, isOver, finish) => {
        let open = sockets.length;
        for (const socket of sockets) {
          const sentMs = new Float64Array(inFlight).fill(performance.now());
          let oldest = 0;
          let waiting = inFlight;
          let partBytes = 0;
          socket.onBytes = (count) => {
            partBytes += count;
            const replies = Math.floor(partBytes / replyBytes);
            if (replies === 0) return;
            partBytes -= replies * replyBytes;
            const nowMs = performance.now();
            for (let i = 0; i < replies; i++) {
              latencies.add((nowMs - sentMs[oldest]!) * 1000);
              sentMs[oldest] = nowMs;
              oldest = oldest + 1 === inFlight ? 0 : oldest + 1;
            }
            if (!isOver()) socket.write(block.subarray(0, replies * sentBytes));
            else if ((waiting -= replies) === 0 && --open === 0) finish();
          };
          socket.write(block);
        }
      }),
  };
}

/** A publisher with `inFlight` messages under way, each of which is to reach every subscriber. */
async function prepareFanOut(config: LoadConfig): Promise<Load> {
  const { connections, inFlight, payloadBytes, server } = config;
  const [publisher] = await openAll(server.port, '/publish', 1);
  const subscribers = await openAll(server.port, '/subscribe', connections);
  const block = clientFrames(1, payloadBytes);
  const replyBytes = headerBytes(payloadBytes) + payloadBytes;
  return {
    measure: (seconds) =>
      measure(
        seconds,
        (latencies, isOver, finish) => {
          const sentMs: number[] = [];
          let bytes = 0;
          const publish = (): void => {
            sentMs.push(performance.now());
            publisher!.write(block);
          };
          for (const subscriber of subscribers) {
            subscriber.onBytes = (count) => {
              bytes += count;
              // With one message in flight these are its own deliveries; with more, as many.
              while (bytes >= replyBytes * connections) {
                bytes -= replyBytes * connections;
                latencies.add((performance.now() - sentMs.shift()!) * 1000);
                if (!isOver()) publish();
                else if (sentMs.length === 0) finish();
              }
            };
          }
          for (let i = 0; i < inFlight; i++) publish();
        },
        connections,
      ),
  };
}

type Drive = (latencies: Latencies, isOver: () => boolean, finish: () => void) => void;

/** Drives for `seconds` and until everything was answered. */
async function measure(seconds: number, drive: Drive, opsPerLatency = 1): Promise<LoadResult> {
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
    load = config.kind === 'echo' ? await prepareEcho(config) : await prepareFanOut(config);
  },
  measure: ({ seconds }: { seconds: number }) => load!.measure(seconds),
});
