import { expect, onTestFinished } from 'vitest';

import { Listener } from '../../../src/net/listener.js';
import type { Authenticator } from '../../../src/protocols/wamp/server/auth/authenticator.js';
import { mountWamp } from '../../../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../../../src/protocols/wamp/server/router.js';

/** Our router on a port of its own for as long as the test takes; it must see no error, and everybody leave. */
export async function serveWamp(auth?: readonly Authenticator[]): Promise<{ readonly port: number }> {
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
  return { port: listener.port };
}
