import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';
import { headerBytes } from '../../src/net/websocket/frame.js';
import { messageFrames, RawConnection, RawHttp } from './raw-connection.js';

interface LoadConfig {
  readonly kind: 'connect' | 'echo' | 'fan-out' | 'polling' | 'idle';
  readonly connections: number;
  /** Messages per connection (echo), of the publisher (fan-out) or per POST (polling). */
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly server: { readonly port: number };
}

interface Load {
  measure(seconds: number): Promise<LoadResult>;
}

type Drive = (latencies: Latencies, isOver: () => boolean) => Promise<void>;

// What opens at the same time: a server's accept queue holds 511.
const OPEN_AT_ONCE = 100;

async function openAll(port: number, count: number, query = ''): Promise<RawConnection[]> {
  const all: RawConnection[] = [];
  while (all.length < count) {
    const next = Math.min(OPEN_AT_ONCE, count - all.length);
    all.push(
      ...(await Promise.all(Array.from({ length: next }, () => RawConnection.openWebSocket(port, query)))),
    );
  }
  return all;
}

function replyBytesOf(payloadBytes: number): number {
  return headerBytes(payloadBytes + 1) + payloadBytes + 1;
}

/** A handshake is over when the open packet has come. */
function prepareConnect({ connections, server }: LoadConfig): Drive {
  return async (latencies, isOver) => {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (!isOver()) {
          const startMs = performance.now();
          const connection = await RawConnection.openWebSocket(server.port);
          latencies.add((performance.now() - startMs) * 1000);
          connection.destroy();
        }
      }),
    );
  };
}

/** Keeps `inFlight` messages per connection under way; counts replies by their octets. */
async function prepareEcho({ connections, inFlight, payloadBytes, server }: LoadConfig): Promise<Drive> {
  const sockets = await openAll(server.port, connections);
  const block = messageFrames(inFlight, payloadBytes);
  const sentBytes = block.length / inFlight;
  const replyBytes = replyBytesOf(payloadBytes);
  return async (latencies, isOver) => {
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            const sentMs = new Float64Array(inFlight).fill(performance.now());
            let oldest = 0;
            let waiting = inFlight;
            let partBytes = 0;
            socket.onEnd = reject;
            socket.onBytes = ({ length }) => {
              partBytes += length;
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
              else if ((waiting -= replies) === 0) resolve();
            };
            socket.write(block);
          }),
      ),
    );
  };
}

/** A publisher with `inFlight` messages under way, each of which is to reach every subscriber. */
async function prepareFanOut({ connections, inFlight, payloadBytes, server }: LoadConfig): Promise<Drive> {
  const [publisher] = await openAll(server.port, 1, '&role=publisher');
  const subscribers = await openAll(server.port, connections);
  const block = messageFrames(1, payloadBytes);
  const replyBytes = replyBytesOf(payloadBytes);
  return (latencies, isOver) =>
    new Promise((resolve, reject) => {
      const sentMs: number[] = [];
      let bytes = 0;
      const publish = (): void => {
        sentMs.push(performance.now());
        publisher!.write(block);
      };
      for (const subscriber of subscribers) {
        subscriber.onEnd = reject;
        subscriber.onBytes = ({ length }) => {
          bytes += length;
          while (bytes >= replyBytes * connections) {
            bytes -= replyBytes * connections;
            latencies.add((performance.now() - sentMs.shift()!) * 1000, connections);
            if (!isOver()) publish();
            else if (sentMs.length === 0) resolve();
          }
        };
      }
      for (let i = 0; i < inFlight; i++) publish();
    });
}

/** Sessions that send `inFlight` messages in one POST and fetch the echoes with the next GET. */
async function preparePolling({ connections, inFlight, payloadBytes, server }: LoadConfig): Promise<Drive> {
  const payload = Array.from(
    { length: inFlight },
    (_, i) => `4${String(i).padStart(payloadBytes, 'x')}`,
  ).join('\u001e');
  const sessions = await Promise.all(
    Array.from({ length: connections }, async () => {
      const http = new RawHttp(await RawConnection.connect(server.port));
      const open = await http.get('');
      return { http, query: `&sid=${(JSON.parse(open.slice(1)) as { sid: string }).sid}` };
    }),
  );
  return async (latencies, isOver) => {
    await Promise.all(
      sessions.map(async ({ http, query }) => {
        while (!isOver()) {
          const startMs = performance.now();
          await http.post(query, payload);
          for (let bytes = 0; bytes < payload.length;)
            bytes += (await http.get(query)).length + (bytes > 0 ? 1 : 0);
          latencies.add((performance.now() - startMs) * 1000, inFlight);
        }
      }),
    );
  };
}

async function makeDrive(config: LoadConfig): Promise<Drive> {
  switch (config.kind) {
    case 'connect':
      return prepareConnect(config);
    case 'echo':
      return prepareEcho(config);
    case 'fan-out':
      return prepareFanOut(config);
    case 'polling':
      return preparePolling(config);
    default:
      // Idle.
      await openAll(config.server.port, config.connections);
      return async () => {};
  }
}

/** Drives for `seconds` and until everything was answered. */
async function measure(drive: Drive, seconds: number): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  await drive(latencies, () => performance.now() >= startMs + seconds * 1000);
  return {
    ops: latencies.count,
    seconds: (performance.now() - startMs) / 1000,
    latencyP50Micros: latencies.quantile(0.5),
    latencyP99Micros: latencies.quantile(0.99),
  };
}

let load: Load | undefined;

answerParent({
  async prepare(config: LoadConfig) {
    const drive = await makeDrive(config);
    load = { measure: (seconds) => measure(drive, seconds) };
  },
  measure: ({ seconds }: { seconds: number }) => load!.measure(seconds),
});
