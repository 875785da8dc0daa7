import { type Load, measure, type Place } from './drive.js';
import { Outbox } from './outbox.js';
import { RawPeer } from './raw-peer.js';

/* What is asked and answered: calls, and publications that are acknowledged. */

/** How one kind of request reads, and whether an answer is right. */
interface Kind {
  readonly write: (id: number) => string;
  /** The request that a message answers rightly. */
  readonly read: (fields: readonly unknown[]) => number | undefined;
}

const CALL: Kind = {
  write: (id) => `[48,${id},{},"com.bench.add2",[${id},7]]`,
  read: ([type, request, , args]) =>
    type === 50 && (args as number[])[0] === Number(request) + 7 ? Number(request) : undefined,
};

const ACKNOWLEDGED: Kind = {
  write: (id) => `[16,${id},{"acknowledge":true},"com.bench.topic",["${'x'.repeat(64)}"]]`,
  read: ([type, request, publication]) =>
    type === 17 && Number(publication) > 0 ? Number(request) : undefined,
};

/** `inFlight` calls of add2 under way; every result is checked. */
export async function prepareCalls(inFlight: number, place: Place): Promise<Load> {
  const callee = await RawPeer.join(place);
  await callee.expect(65, '[64,1,{},"com.bench.add2"]');
  const answers = new Outbox(callee);
  callee.onText = (text) => {
    const [type, request, , , args] = JSON.parse(text) as [number, number, number, object, [number, number]];
    if (type === 68) answers.push(`[70,${request},{},[${args[0] + args[1]}]]`);
  };
  return await prepareRequests(CALL, inFlight, place);
}

/** `inFlight` acknowledged publications under way, to one subscriber, who is to have seen them all in the end. */
export async function prepareAcknowledged(inFlight: number, place: Place): Promise<Load> {
  const subscriber = await RawPeer.join(place);
  await subscriber.expect(33, '[32,1,{},"com.bench.topic"]');
  let [received, wanted] = [0, Infinity];
  let seeAll = (): void => {};
  subscriber.onText = () => {
    received++;
    if (received === wanted) seeAll();
  };
  const publishing = await prepareRequests(ACKNOWLEDGED, inFlight, place);
  let published = 0;
  return {
    async measure(seconds) {
      const result = await publishing.measure(seconds);
      published += result.ops;
      wanted = published;
      if (received < wanted) await new Promise<void>((resolve) => (seeAll = resolve));
      return result;
    },
  };
}

async function prepareRequests({ write, read }: Kind, inFlight: number, place: Place): Promise<Load> {
  const peer = await RawPeer.join(place);
  const outbox = new Outbox(peer);
  let id = 0;
  return {
    measure: (seconds) =>
      measure(seconds, 1, (latencies, isOver, finish) => {
        const sentMs = new Map<number, number>();
        const ask = (): void => {
          id++;
          sentMs.set(id, performance.now());
          outbox.push(write(id));
        };
        peer.onText = (text) => {
          const request = read(JSON.parse(text) as unknown[]);
          const startMs = sentMs.get(request ?? -1);
          if (request === undefined || startMs === undefined) throw new Error(text);
          latencies.add((performance.now() - startMs) * 1000);
          sentMs.delete(request);
          if (!isOver()) ask();
          else if (sentMs.size === 0) finish();
        };
        for (let i = 0; i < inFlight; i++) ask();
      }),
  };
}
