import { type Load, measure, type Place } from './drive.js';
import { RawPeer } from './raw-peer.js';

/** `lanes` times in parallel, over and over: connect, join, subscribe, register, say goodbye, close. */
export function prepareChurn(lanes: number, place: Place): Load {
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
        const lane = async (): Promise<void> => {
          while (!isOver()) {
            const startMs = performance.now();
            await session();
            latencies.add((performance.now() - startMs) * 1000);
          }
        };
        void Promise.all(Array.from({ length: lanes }, lane)).then(finish);
      }),
  };
}
