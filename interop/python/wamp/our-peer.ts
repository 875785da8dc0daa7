import { WampError, result } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';

import { joinOurs, type RouterPlace } from '../../wamp-router.js';

export interface OurPeer {
  readonly client: Client;
  /** How many calls of com.ours.wait were interrupted. */
  readonly interrupted: () => number;
}

/** Our client, serving com.ours.* for a peer in Python for as long as the test takes. */
export async function joinOurPeer(place: RouterPlace): Promise<OurPeer> {
  const client = await joinOurs(place);
  let interrupted = 0;
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  await client.register('com.ours.echo', ({ args, kwargs }) => result(args, kwargs));
  await client.register('com.ours.fail', () => {
    throw new WampError('com.error.ours', [1], { k: 2 });
  });
  await client.register('com.ours.count', function* () {
    yield 1;
    yield 2;
    return 3;
  });
  await client.register('com.ours.wait', async ({ signal }) => {
    arrive();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    interrupted++;
  });
  await client.register('com.ours.arrived', async () => await arrived);
  return { client, interrupted: () => interrupted };
}
