import { expect, test } from 'vitest';
import { DbConnection } from '../../interop/generated/probe-chorale/index.js';
import { ManualClock } from '../../src/base/clock.js';
import { seededRandom } from '../../src/base/random.js';
import type { RecentCommits } from '../../src/engine/live/recent-commits.js';
import type { TailLimits } from '../../src/engine/log/record-tail.js';
import { loadModule } from '../../src/module/load-module.js';
import { RESUMABLE_SUBPROTOCOL } from '../../src/protocols/spacetimedb/messages/frame.js';
import type { Subprotocol } from '../../src/protocols/spacetimedb/messages/frame.js';
import type { DatabaseRuntime } from '../../src/protocols/spacetimedb/server/runtime.js';
import { Identity } from '../../src/values/identity.js';
import { runModule } from '../conformance/database.js';
import * as probe from '../conformance/probe/module.js';
import { FaultyNetwork } from './faulty-link.js';
import { Follower, TABLES } from './follower.js';

/*
 * Clients are cut off at random points, connecting, asking, resuming and under load, and their servers often do not know.
 * One client, the witness, never is: what it was told is what all others must have been told.
 */

const EVERYTHING = [
  'SELECT * FROM user',
  'SELECT * FROM message',
  'SELECT * FROM label',
  'SELECT * FROM score',
  'SELECT * FROM door_bell',
];
/** Held besides: rows that several queries hold are told once. */
const OVERLAPPING = ["SELECT * FROM message WHERE text <> 'x'", 'SELECT * FROM label WHERE color < 3'];

interface Trial {
  readonly seed: number;
  readonly clients: number;
  readonly cuts: number;
  readonly limits?: TailLimits;
  /** Things that happen besides, with each step. */
  readonly disturb?: (recent: RecentCommits, random: () => number) => void;
  readonly protocol?: (random: () => number) => Subprotocol;
}

interface Result {
  readonly witness: Follower;
  readonly followers: readonly Follower[];
  readonly cuts: number;
  readonly clock: ManualClock;
  readonly texts: ReadonlyMap<string, Follower>;
}

test('1,000 cuts under load: each client was told each change exactly once, in order', async () => {
  const { witness, followers, cuts, texts } = await runTrial({ seed: 11, clients: 40, cuts: 1_000 });
  expect(cuts).toBeGreaterThanOrEqual(1_000);
  const resumptions = followers.flatMap(({ resumedBy }) => resumedBy);
  expect(resumptions.length).toBeGreaterThan(500);
  expect(new Set(resumptions), 'nobody needed all rows anew').toEqual(new Set(['changes']));
  for (const { trace } of followers) {
    expect(trace.length).toBeGreaterThan(0);
    expect(trace).toEqual(witness.trace.slice(-trace.length));
  }
  checkCalls(witness, texts);
}, 120_000);

test('300 cuts with a window that is too short, servers that forget and others that cannot resume: callbacks run only for what is different', async () => {
  const { followers, cuts, witness, texts } = await runTrial({
    seed: 12,
    clients: 20,
    cuts: 300,
    limits: { transactionsMax: 25, bytesMax: 1_000_000 },
    disturb: (recent, random) => {
      if (random() < 0.02) recent.restart();
    },
    protocol: (random) =>
      random() < 0.6
        ? RESUMABLE_SUBPROTOCOL
        : random() < 0.5
          ? 'v3.bsatn.spacetimedb'
          : 'v2.bsatn.spacetimedb',
  });
  expect(cuts).toBeGreaterThanOrEqual(300);
  const resumptions = followers.flatMap(({ resumedBy }) => resumedBy);
  for (const way of ['changes', 'snapshot']) {
    expect(resumptions.filter((by) => by === way).length, way).toBeGreaterThan(30);
  }
  checkCalls(witness, texts);
}, 120_000);

/** Runs the load; afterwards every cache and what callbacks added up to are the server's rows, and nothing is left behind. */
async function runTrial(trial: Trial): Promise<Result> {
  const generator = seededRandom(trial.seed);
  const random = (): number => generator.nextFloat();
  const clock = new ManualClock();
  const database = runModule(loadModule(probe), new Identity(2n), queueMicrotask, trial.limits);
  /** Also what callbacks found wrong. */
  const problems: unknown[] = [];
  let isCalm = false;
  const faulty = new FaultyNetwork({
    database,
    lifetime: () => (isCalm ? undefined : Math.floor(random() ** 2 * 60)),
    protocol: () => trial.protocol?.(random) ?? RESUMABLE_SUBPROTOCOL,
  });
  const steady = new FaultyNetwork({
    database,
    lifetime: () => undefined,
    protocol: () => 'v3.bsatn.spacetimedb',
  });
  const builder = (network: FaultyNetwork): ReturnType<typeof DbConnection.builder> =>
    DbConnection.builder()
      .withUri('http://localhost')
      .withDatabaseName('probe')
      .withTransport(network.openTransport)
      .withClock(clock)
      .withRandom(generator)
      .withLog((_, message, cause) => void problems.push(cause ?? message));
  const witness = new Follower(builder(steady).withToken('900000'), EVERYTHING);
  await settle();
  expect(witness.isApplied).toBe(true);
  const followers: Follower[] = [];
  while (followers.length < trial.clients) {
    // The first connection is not tried again: those that fail are not counted.
    const follower = new Follower(
      builder(faulty).onConnectError(() => undefined),
      [...EVERYTHING, ...OVERLAPPING],
    );
    await settle();
    if (follower.conn.identity !== undefined) followers.push(follower);
  }

  const texts = new Map<string, Follower>();
  let step = 0;
  while (faulty.cuts < trial.cuts) {
    step++;
    expect(step, 'the trial comes to an end').toBeLessThan(100_000);
    expect(problems).toEqual([]);
    const calls = Math.floor(random() * 4);
    for (let i = 0; i < calls; i++) {
      const caller = random() < 0.2 ? witness : followers[Math.floor(random() * followers.length)]!;
      act(caller, `t${step}.${i}`, witness, random, texts);
    }
    trial.disturb?.(database.live.recent, random);
    if (random() < 0.3) faulty.noticeHalfOpen(Math.floor(random() * 4));
    if (random() < 0.7) await settle(Math.floor(random() * 30));
    if (random() < 0.5) clock.advance(random() * 600);
  }

  isCalm = true;
  faulty.noticeHalfOpen(Infinity);
  for (const { conn } of followers) conn.reconnectNow();
  await settle();
  for (let i = 0; i < 200 && followers.some(({ conn }) => !conn.isActive); i++) {
    // Links from before may still break.
    witness.call('bell', witness.conn.reducers.pressBell({ text: `calm ${i}` }));
    await settle();
    faulty.noticeHalfOpen(Infinity);
    clock.advance(60_000);
    await settle();
  }
  await settle();
  const server = countRows(database);
  for (const follower of followers) {
    expect(follower.conn.isActive).toBe(true);
    follower.checkMirror();
    for (const table of TABLES) {
      expect(follower.cached(table)).toEqual(witness.cached(table));
      expect(follower.cached(table)).toHaveLength(server.get(table)!);
    }
  }
  for (const { conn } of [...followers, witness]) conn.disconnect();
  await settle();
  faulty.noticeHalfOpen(Infinity);
  expect(problems).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
  expect(database.sessions.size).toBe(0);
  return { witness, followers, cuts: faulty.cuts, clock, texts };
}

/** Calls a reducer at random; calls that leave a trace of their own are noted, to see whether they took effect. */
function act(
  follower: Follower,
  text: string,
  witness: Follower,
  random: () => number,
  noted: Map<string, Follower>,
): void {
  const { reducers, db } = follower.conn;
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const call = (promise: Promise<unknown>): void => follower.call(text, promise);
  const dice = random();
  if (dice < 0.35) {
    noted.set(text, follower);
    return call(reducers.sendMessage({ text }));
  }
  if (dice < 0.55) {
    const id = pick([...witness.conn.db.message.iter()])?.id ?? 0n;
    return call(reducers.editMessage({ id, text: `edit ${text}` }));
  }
  if (dice < 0.65) {
    const id = pick([...db.message.iter()])?.id ?? 0n;
    return call(reducers.deleteMessage({ id }));
  }
  if (dice < 0.75) return call(reducers.addLabel({ color: Math.floor(random() * 6), text }));
  if (dice < 0.82) {
    const label = pick([...witness.conn.db.label.iter()]) ?? { color: 0, text: '' };
    return call(reducers.removeLabel({ color: label.color, text: label.text }));
  }
  if (dice < 0.9) {
    const player = `p${Math.floor(random() * 10)}`;
    return call(reducers.setScore({ player, points: BigInt(Math.floor(random() * 5)) }));
  }
  return call(reducers.pressBell({ text }));
}

/** Calls that were answered took effect once, those that were not sent never, the others once or never. */
function checkCalls(witness: Follower, noted: ReadonlyMap<string, Follower>): void {
  const effects = new Map<string, number>();
  for (const line of witness.trace) {
    const text = /^\+ message .* (t[\d.]+)$/.exec(line)?.[1];
    if (text !== undefined) effects.set(text, (effects.get(text) ?? 0) + 1);
  }
  const counts = { done: 0, unknown: 0, 'not sent': 0 };
  for (const [text, { outcomes }] of noted) {
    const outcome = outcomes.get(text);
    const effect = effects.get(text) ?? 0;
    expect(outcome, `${text} was answered or given up`).toBeDefined();
    counts[outcome!]++;
    if (outcome === 'done') expect(effect, text).toBe(1);
    else if (outcome === 'not sent') expect(effect, text).toBe(0);
    else expect(effect, text).toBeLessThanOrEqual(1);
  }
  for (const [outcome, count] of Object.entries(counts)) expect(count, outcome).toBeGreaterThan(10);
}

/** How many rows the server has, by table. */
function countRows(database: DatabaseRuntime): ReadonlyMap<string, number> {
  const viewer = { identity: database.owner, isOwner: true };
  return new Map(
    TABLES.map((table) => {
      const { rows } = database.query(`SELECT COUNT(*) AS n FROM ${table}`, viewer);
      return [table, Number(rows[0]![0])];
    }),
  );
}

async function settle(steps = 200): Promise<void> {
  for (let step = 0; step < steps; step++) await Promise.resolve();
}
