import { type Load, measure, type Place } from './drive.js';
import { Outbox } from './outbox.js';
import { RawPeer } from './raw-peer.js';

export interface EventsOptions {
  readonly subscribers: number;
  readonly inFlight: number;
  /** Octets of each event's text. */
  readonly size: number;
  /** One more subscriber joins, who reads none of so many events until `release`; they end the measurement. */
  readonly unread?: number;
}

const TOPIC = 'com.bench.topic';
/** What only the slow one hears. */
const END = 'com.bench.end';

/** A publisher with `inFlight` events under way, each of which is to reach every subscriber, in order. */
export async function prepareEvents(options: EventsOptions, place: Place): Promise<Load> {
  const { subscribers, inFlight, size, unread } = options;
  const publisher = await RawPeer.join(place);
  const peers: RawPeer[] = [];
  for (let i = 0; i < subscribers; i++) peers.push(await subscribe(place));
  const slow = unread === undefined ? undefined : await subscribe(place);
  await slow?.expect(33, `[32,2,{},"${END}"]`);
  const requests = new Outbox(publisher);
  const filler = 'x'.repeat(size - 8);
  let [id, firstUnread] = [0, 1];
  return {
    measure: (seconds) => {
      slow?.pause();
      firstUnread = id + 1;
      return measure(seconds, subscribers, (latencies, isLate, finish) => {
        const isOver = unread === undefined ? isLate : (): boolean => id - firstUnread + 1 >= unread;
        const sentMs: number[] = [];
        let deliveries = 0;
        const publish = (): void => {
          sentMs.push(performance.now());
          requests.push(`[16,${++id},{},"${TOPIC}",["${numberText(id)}${filler}"]]`);
        };
        for (const peer of peers) {
          let next = id + 1;
          peer.onText = (text) => {
            if (readNumber(text) !== next++) throw new Error(`not event ${next - 1}: ${text}`);
            // With more than one event in flight these are as many deliveries as one event has.
            if (++deliveries % subscribers !== 0) return;
            latencies.add((performance.now() - sentMs.shift()!) * 1000);
            if (!isOver()) publish();
            else if (sentMs.length === 0) finish();
          };
        }
        for (let i = 0; i < inFlight; i++) publish();
      });
    },
    async release() {
      if (slow === undefined) return {};
      return { missed: id + 1 - firstUnread - (await readBacklog(slow, publisher, firstUnread)) };
    },
  };
}

async function subscribe(place: Place): Promise<RawPeer> {
  const peer = await RawPeer.join(place);
  await peer.expect(33, `[32,1,{},"${TOPIC}"]`);
  return peer;
}

/**
 * Lets the slow one read on: how many events it gets, which must be in order, before one that is published until it is heard, as
 * there is no room for it while the others are not read. A router may as well have put an end to the connection.
 */
async function readBacklog(slow: RawPeer, publisher: RawPeer, first: number): Promise<number> {
  let [received, next] = [0, first];
  const isRead = new Promise<void>((resolve, reject) => {
    slow.onText = (text) => {
      if (text.includes('"end"')) return resolve();
      const number = readNumber(text);
      if (number < next) reject(new Error(`event ${number} instead of ${next} or a later one`));
      [next, received] = [number + 1, received + 1];
    };
  });
  slow.resume();
  const publishing = setInterval(() => publisher.send([`[16,1,{},"${END}",["end"]]`]), 20);
  await Promise.race([isRead, slow.ended]);
  clearInterval(publishing);
  return received;
}

const numberText = (id: number): string => String(id).padStart(8, '0');

/** The number in an EVENT: `[36,subscription,publication,{},["00000001xxx"]]`. */
function readNumber(text: string): number {
  const start = text.indexOf('["');
  if (!text.startsWith('[36,') || start < 0) throw new Error(text);
  return Number(text.slice(start + 2, start + 10));
}
