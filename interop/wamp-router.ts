import { expect, onTestFinished } from 'vitest';
import { connect } from 'chorale/wamp';
import type { Client, ConnectOptions } from 'chorale/wamp';

import { Listener } from '../src/net/listener.js';
import type { Authenticator } from '../src/protocols/wamp/server/auth/authenticator.js';
import { mountWamp } from '../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../src/protocols/wamp/server/router.js';

export interface RouterPlace {
  readonly port: number;
  /** For WebSockets. */
  readonly url: string;
}

/** Our router on a port of its own for as long as the test takes; everybody must leave it, and it must see no error. */
export async function serveWamp(auth?: readonly Authenticator[]): Promise<RouterPlace> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const router = new WampRouter({ realms: { realm1: {} }, onError, ...(auth === undefined ? {} : { auth }) });
  const listener = await Listener.listen({ onError });
  mountWamp(listener, router);
  onTestFinished(async () => {
    await expect.poll(() => router.connectionCount).toBe(0);
    router.close();
    await listener.close({ drainMs: 0 });
    expect(errors).toEqual([]);
  });
  return { port: listener.port, url: `ws://127.0.0.1:${listener.port}/wamp` };
}

/** Our client for as long as the test takes. */
export async function joinOurs({ url }: RouterPlace, options?: Partial<ConnectOptions>): Promise<Client> {
  const client = await connect(url, { realm: 'realm1', ...options });
  onTestFinished(async () => await client.close());
  return client;
}
