import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../base/clock.js';
import { Listener } from '../../../net/listener.js';
import * as MessageType from '../messages/message-type.js';
import { mountWamp } from '../server/mount.js';
import { WampRouter } from '../server/router.js';
import { connect, connectTransport } from './index.node.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { call: CALL } = MessageType;

test('a router that was not heard for 30 s is asked something, and whatever it answers is fine', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect({ liveness: {} });
  for (const [count, answer] of [
    [1, (request: number) => router.error(CALL, request, 'wamp.error.no_such_procedure')],
    [2, (request: number) => router.result(request, [1])],
  ] as const) {
    router.clock.advance(29_999);
    await client.publish('com.x');
    expect(router.all(CALL).length).toBe(count - 1);
    router.clock.advance(1);
    const { request, procedure } = await router.next(CALL, count);
    expect(procedure).toBe('wamp.session.count');
    answer(request);
    await settled(() => router.clock.pendingTimers === 1);
    await new Promise((resolve) => setImmediate(resolve));
    router.clock.advance(10_000);
  }
  expect(client.state).toBe('open');
  await client.close();
  expect([router.clock.pendingTimers, router.errors]).toEqual([0, []]);
});

test('who is heard is not asked', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect({ liveness: { intervalMs: 1000 } });
  for (let i = 0; i < 5; i++) {
    router.clock.advance(999);
    router.event(1, i + 1, []);
    await new Promise((resolve) => setImmediate(resolve));
    router.clock.advance(1);
  }
  await client.publish('com.x');
  await router.next(MessageType.publish);
  expect(router.all(CALL)).toEqual([]);
  await client.close();
});

test('liveness: false asks nobody', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect({ liveness: false });
  expect(router.clock.pendingTimers).toBe(0);
  await client.close();
});

/** Between a client and a router, until it is cut: then it takes everything and gives nothing, as a broken network does. */
async function startCable(port: number): Promise<{ readonly port: number; cut(): void }> {
  const sockets: Socket[] = [];
  let isCut = false;
  const cable = createTcpServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    sockets.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => isCut || to.write(chunk));
      from.on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => cable.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    cable.close();
  });
  return { port: (cable.address() as AddressInfo).port, cut: () => (isCut = true) };
}

test.each(['ws', 'tcp'])(
  'a half-open connection (%s) is noticed, and another one takes its place',
  async (scheme) => {
    const router = new WampRouter({ realms: { realm1: {} }, onError: () => {} });
    const listener = await Listener.listen({ onError: () => {} });
    mountWamp(listener, router);
    onTestFinished(async () => {
      router.close();
      await listener.close({ drainMs: 0 });
    });
    const cable = await startCable(listener.port);
    const clock = new ManualClock();
    const urls = [cable.port, listener.port].map((port) => `${scheme}://127.0.0.1:${port}/`);
    const client = await connect(urls[0]!, {
      realm: 'realm1',
      clock,
      reconnect: { jitter: 0 },
      openTransport: async (request) => await connectTransport(urls.shift()!, request),
    });
    cable.cut();
    const call = client.call('com.nobody').catch((error: unknown) => error);
    clock.advance(30_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.state).toBe('open');
    clock.advance(10_000);
    expect(await call).toMatchObject({ code: 'TRANSPORT', message: 'the router does not answer any more' });
    await expect.poll(() => client.state).toBe('waiting');
    clock.advance(200);
    await client.ready();
    await expect(client.call('com.nobody')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' });
    await client.close();
  },
);
