import { type Load, measure, type Place } from './drive.js';
import { Outbox } from './outbox.js';
import { RawPeer } from './raw-peer.js';

const FILLER = 'x'.repeat(120);
const REGISTER = '[64,1,{},"com.bench.report"]';
const CALL = (id: number): string => `[48,${id},{"receive_progress":true},"com.bench.report"]`;
const CHUNK = (request: number, n: number): string =>
  `[70,${request},{"progress":true},["${String(n).padStart(8, '0')}${FILLER}"]]`;

/** One call, `inFlight` chunks of 128 octets on their way; every chunk must come, in order, and then the result. */
export async function prepareProgress(inFlight: number, place: Place): Promise<Load> {
  const [callee, caller] = [await RawPeer.join(place), await RawPeer.join(place)];
  await callee.expect(65, REGISTER);
  const chunks = new Outbox(callee);
  let id = 0;
  return {
    measure: (seconds) =>
      measure(seconds, 1, (latencies, isOver, finish) => {
        const sentMs: number[] = [];
        let [sent, received, request] = [0, 0, 0];
        const yieldChunk = (): void => {
          sentMs.push(performance.now());
          chunks.push(CHUNK(request, sent++));
        };
        callee.onText = (text) => {
          request = (JSON.parse(text) as [number, number])[1];
          for (let i = 0; i < inFlight; i++) yieldChunk();
        };
        caller.onText = (text) => {
          if (!isProgress(text)) return text.startsWith('[50,') ? finish() : fail(text);
          if (readChunk(text) !== received++) fail(text);
          latencies.add((performance.now() - sentMs.shift()!) * 1000);
          if (!isOver()) yieldChunk();
          else if (sentMs.length === 0) chunks.push(`[70,${request},{}]`);
        };
        caller.send([CALL(++id)]);
      }),
  };
}

/** A call of so many chunks whose caller reads none until `release`; the router has taken them all when `measure` ends. */
export async function prepareUnreadProgress(count: number, place: Place): Promise<Load> {
  const [callee, caller] = [await RawPeer.join(place), await RawPeer.join(place)];
  await callee.expect(65, REGISTER);
  let id = 0;
  return {
    async measure() {
      caller.pause();
      const startMs = performance.now();
      const invoked = callee.next();
      caller.send([CALL(++id)]);
      const [type, request] = (await invoked) as [number, number];
      if (type !== 68) fail(String(type));
      for (let n = 0; n < count;) {
        const texts: string[] = [];
        for (; texts.length < 200 && n < count; n++) texts.push(CHUNK(request, n));
        await callee.write(texts);
      }
      callee.send([`[70,${request},{}]`]);
      // Messages are handled in their order: what answers the next one has taken these.
      await callee.settle();
      const seconds = (performance.now() - startMs) / 1000;
      return { ops: count, seconds, latencyP50Micros: 0, latencyP99Micros: 0 };
    },
    async release() {
      let received = 0;
      const isRead = new Promise<void>((resolve) => {
        caller.onText = (text) => {
          // The result, or the error that says why there is none.
          if (!isProgress(text)) return resolve();
          if (readChunk(text) !== received++) fail(text);
        };
      });
      caller.resume();
      await Promise.race([isRead, caller.ended]);
      return { unread: count - received };
    },
  };
}

const isProgress = (text: string): boolean => /^\[50,\d+,\{[^}]*"progress":true/.test(text);

function readChunk(text: string): number {
  const start = text.indexOf('["');
  return Number(text.slice(start + 2, start + 10));
}

function fail(text: string): never {
  throw new Error(`unexpected: ${text}`);
}
