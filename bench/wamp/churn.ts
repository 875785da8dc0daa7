import { type Load, measure, type Place } from './drive.js';
import { RawPeer } from './raw-peer.js';

/**
 * `lanes` times in parallel, over and over: connect, join, subscribe, register, say goodbye, close. At most `perSecond` of these begin in
 * a second.
 */
export function prepareChurn(lanes: number, place: Place, perSecond = Infinity): Load {
  let count = 0;
  const session = async (): Promise<void> => {
    const number = ++count;
    const peer = await RawPeer.join(place);
    await peer.expect(33, `[32,1,{},"com.bench.topic"]`);
    await peer.expect(65, `[64,2,{},"com.bench.own.${number}"]`);
    await peer.expect(6, '[6,{},"wamp.close.normal"]');
    await peer.close();
  };
  return {
    measure: (seconds) =>
      measure(seconds, 1, (latencies, isOver, finish) => {
        const paced = pace(perSecond);
        const lane = async (): Promise<void> => {
          for (await paced(); !isOver(); await paced()) {
            const startMs = performance.now();
            await session();
            latencies.add((performance.now() - startMs) * 1000);
          }
        };
        void Promise.all(Array.from({ length: lanes }, lane)).then(finish);
      }),
  };
}

/** Resolves `perSecond` times a second. Who was late is not waited for: the next ones come at once. */
function pace(perSecond: number): () => Promise<void> {
  let dueMs = performance.now();
  return async () => {
    const waitMs = dueMs - performance.now();
    dueMs += 1000 / perSecond;
    if (waitMs > 0) await new Promise((resolve) => void setTimeout(resolve, waitMs));
  };
}
