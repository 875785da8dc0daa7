import { expect } from 'vitest';
import type { Client } from 'chorale/wamp';

export const VALUES = [
  1,
  2 ** 40,
  -0.5,
  'grün',
  null,
  true,
  [1, [2]],
  { a: { b: 1 } },
  Uint8Array.of(0, 1, 255),
];

/** What every peer in Python serves as com.theirs.*, and sends back to com.theirs.back, called by our client. */
export async function checkTheirs(client: Client): Promise<void> {
  const { args, kwargs } = await client.call('com.theirs.echo', VALUES, { kwargs: { k: 'v' } }).result();
  expect([args, kwargs]).toEqual([VALUES, { k: 'v' }]);
  await expect(client.call('com.theirs.fail')).rejects.toMatchObject({
    uri: 'com.error.theirs',
    args: [1],
    kwargs: { k: 2 },
  });
  const counting = client.call('com.theirs.count');
  const parts: unknown[] = [];
  for await (const part of counting) parts.push(part.value);
  expect([parts, await counting]).toEqual([['a', 'b'], 'c']);
  for (const procedure of ['com.theirs.prefix.x', 'com.any.wild']) {
    const answer = await client.call(procedure, [], { discloseMe: true });
    expect(answer).toEqual([procedure, client.session.sessionId]);
  }
  const shared = [await client.call('com.theirs.shared'), await client.call('com.theirs.shared')];
  expect(new Set(shared)).toEqual(new Set(['one', 'two']));
  const heard: unknown[] = [];
  await client.subscribe('com.theirs.back', ({ args, kwargs }) => heard.push([args, kwargs]));
  await client.publish('com.ours.news', VALUES, { kwargs: { k: 1 } });
  await expect.poll(() => heard).toEqual([[VALUES, { k: 1 }]]);
}
