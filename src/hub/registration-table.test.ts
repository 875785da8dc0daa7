import { describe, expect, it } from 'vitest';

import { type InvokePolicy, RegistrationTable } from './registration-table.js';
import { SubscriptionTable } from './subscription-table.js';

const plain = { concurrency: Infinity, disclose: false, forwardTimeout: false };

function shared(invoke: InvokePolicy, ...members: string[]) {
  const table = new RegistrationTable<string>();
  for (const member of members) table.add(member, 'com.a', 'exact', invoke, plain, 0);
  return { table, registration: table.index.get('com.a', 'exact')! };
}

function turns(invoke: InvokePolicy, count: number, randoms: number[] = []): string {
  const { registration } = shared(invoke, 'a', 'b', 'c');
  const chosen = Array.from({ length: count }, () =>
    registration.choose(
      () => randoms.shift() ?? 0,
      () => true,
    ),
  );
  return chosen.map((server) => server?.member).join('');
}

describe('RegistrationTable', () => {
  it('each policy has its turns', () => {
    expect(turns('roundrobin', 5)).toBe('abcab');
    expect(turns('first', 2)).toBe('aa');
    expect(turns('last', 2)).toBe('cc');
    expect(turns('random', 3, [0.99, 0, 0.5])).toBe('cab');
  });

  it('whoever is busy or unfit is passed over', () => {
    const table = new RegistrationTable<string>();
    table.add('a', 'com.a', 'exact', 'first', { ...plain, concurrency: 1 }, 0);
    table.add('b', 'com.a', 'exact', 'first', plain, 0);
    const registration = table.index.findBest('com.a')!;
    const choose = (isFit: (name: string) => boolean = () => true) =>
      registration.choose(
        () => 0,
        ({ member }) => isFit(member),
      )?.member;
    expect(choose()).toBe('a');
    registration.servers[0]!.inFlight = 1;
    expect(choose()).toBe('b');
    expect(choose((name) => name !== 'b')).toBe(undefined);
  });

  it('a procedure is shared by members with one policy only', () => {
    const { table } = shared('first', 'a');
    expect(table.add('b', 'com.a', 'exact', 'last', plain, 0).kind).toBe('taken');
    expect(table.add('a', 'com.a', 'exact', 'first', plain, 0).kind).toBe('taken');
    expect(table.add('b', 'com.a', 'exact', 'first', plain, 0).kind).toBe('registered');
    expect(table.add('b', 'com.a', 'prefix', 'single', plain, 0).kind).toBe('registered');
    expect(table.add('c', 'com.a', 'prefix', 'single', plain, 0).kind).toBe('taken');
  });

  it('ends with its last server', () => {
    const { table, registration } = shared('first', 'a', 'b');
    expect(table.remove('a', registration)).toEqual({ isLast: false });
    expect(table.remove('a', registration)).toBe(undefined);
    expect(table.remove('b', registration)).toEqual({ isLast: true });
    expect([table.get(registration.id), table.index.findBest('com.a')]).toEqual([undefined, undefined]);
  });

  it('a key stays with its server; only keys of a server that left move', () => {
    const { table, registration } = shared('roundrobin', 'a', 'b', 'c');
    const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`);
    const place = (key: string) =>
      registration.chooseByKey(
        key,
        (name) => name,
        () => true,
      )!.member;
    const before = keys.map(place);
    for (const name of ['a', 'b', 'c']) expect(before.filter((at) => at === name).length).toBeGreaterThan(60);
    table.remove('b', registration);
    keys.forEach((key, i) => {
      if (before[i] !== 'b') expect(place(key)).toBe(before[i]);
    });
  });
});

describe('SubscriptionTable', () => {
  it('one pattern is one subscription; its last member ends it', () => {
    const table = new SubscriptionTable<string>();
    const first = table.add('a', 'com.t', 'exact', {}, 0);
    const second = table.add('b', 'com.t', 'exact', { nodeKey: 'n' }, 0);
    expect([first.isFirst, second.isFirst, second.subscription.shardedCount]).toEqual([true, false, 1]);
    expect(second.subscription).toBe(first.subscription);
    expect(table.add('b', 'com.t', 'exact', {}, 0)).toMatchObject({ isNew: false });
    expect(first.subscription.shardedCount).toBe(0);
    expect(table.remove('a', first.subscription)).toMatchObject({ isFirst: false });
    expect(table.remove('b', first.subscription)).toMatchObject({ isFirst: true });
    expect(table.get(first.subscription.id)).toBe(undefined);
  });

  it('a subscription that is kept outlives its members', () => {
    const table = new SubscriptionTable<string>(() => true);
    const { subscription } = table.add('a', 'com.t', 'prefix', {}, 0);
    expect(table.remove('a', subscription)).toMatchObject({ isFirst: false });
    expect(table.index.get('com.t', 'prefix')).toBe(subscription);
  });
});
