import { describe, expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import { BaseError, ClientClosed, TransportError, WampError } from './errors.js';
import type { InvocationProgress } from './results.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { call: CALL, cancel: CANCEL } = MessageType;

describe('a call', () => {
  test('resolves with the first value, and shows the whole result', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('com.add', [1, 2], { kwargs: { unit: 'm' } });
    const message = await router.next(CALL);
    expect([message.procedure, message.payload.args, message.payload.kwargs, message.options]).toEqual([
      'com.add',
      [1, 2],
      { unit: 'm' },
      {},
    ]);
    router.result(message.request, [3, 4], {}, { of: 2 });
    expect(await call).toBe(3);
    const whole = await call.result();
    expect([whole.args, whole.kwargs, whole.length, whole.get(1), whole.get('of')]).toEqual([
      [3, 4],
      { of: 2 },
      2,
      4,
      2,
    ]);
    expect(() => whole.get(2)).toThrow('there is no argument 2');
    expect(call.done).toBe(true);
  });

  test('puts its options into the message', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const options = { _private: 1, disclose_me: false };
    void client.call('com.add', [], {
      receiveProgress: true,
      callTimeoutMs: 250.4,
      discloseMe: true,
      resourceKey: 'k',
      options,
    });
    expect((await router.next(CALL)).options).toEqual({
      receive_progress: true,
      timeout: 250,
      disclose_me: false,
      rkey: 'k',
      runmode: 'partition',
      _private: 1,
    });
  });

  test('rejects with the ERROR, as the class of its URI', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    class NoStock extends Error {
      readonly left: unknown;
      constructor(error: WampError) {
        super(error.message);
        this.left = error.args[0];
      }
    }
    client.mapError('com.shop.no_stock', NoStock);
    const [first, second] = [client.call('a'), client.call('b')];
    await settled(() => router.all(CALL).length === 2);
    router.error(CALL, 1, 'com.shop.no_stock', [7]);
    router.error(CALL, 2, 'com.shop.other', ['why']);
    await expect(first).rejects.toMatchObject({ constructor: NoStock, left: 7 });
    await expect(second).rejects.toMatchObject({ uri: 'com.shop.other', args: ['why'] });
  });

  test('that cannot be encoded fails alone, and takes no request id', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const circle: unknown[] = [];
    circle.push(circle);
    const bad = client.call('a', [circle]);
    const good = client.call('b');
    await expect(bad).rejects.toThrow();
    expect((await router.next(CALL)).request).toBe(1);
    router.result(1, ['fine']);
    expect(await good).toBe('fine');
  });

  test('fails when the connection is lost, and when the client is closed', async () => {
    const router = new ScriptedRouter();
    const dropped = await router.connect();
    const lost = dropped.call('a');
    await router.next(CALL);
    router.drop();
    await expect(lost).rejects.toBeInstanceOf(ClientClosed);
    await expect(lost).rejects.toMatchObject({ cause: expect.any(TransportError) as unknown });
    await expect(dropped.call('b')).rejects.toBeInstanceOf(ClientClosed);
    const client = await router.connect();
    const closed = expect(client.call('a')).rejects.toBeInstanceOf(ClientClosed);
    await client.close();
    await closed;
  });
});

describe('progress', () => {
  test('is asked for by iterating in the same turn, and ends before the result', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('com.report');
    const parts: unknown[] = [];
    const reading = (async () => {
      for await (const part of call) parts.push(part.value);
      return await call;
    })();
    const { request, options } = await router.next(CALL);
    expect(options).toEqual({ receive_progress: true });
    router.result(request, [1], { progress: true });
    router.result(request, [2], { progress: true });
    router.result(request, ['total']);
    expect(await reading).toBe('total');
    expect(parts).toEqual([1, 2]);
  });

  test('goes to the handler, if there is one', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const parts: unknown[] = [];
    const call = client.call('com.report').onProgress((part) => parts.push(part.value));
    expect(() => call.onProgress(() => {})).toThrow(BaseError);
    await router.next(CALL);
    router.result(1, [1], { progress: true });
    router.result(1, ['total']);
    expect(await call).toBe('total');
    expect(parts).toEqual([1]);
  });

  test('cannot be asked for when the call has left, or said that it wants none', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const [late, never] = [client.call('a'), client.call('b', [], { receiveProgress: false })];
    expect(() => never.onProgress(() => {})).toThrow('receiveProgress: false');
    await settled(() => router.all(CALL).length === 2);
    expect(() => late.onProgress(() => {})).toThrow('pass receiveProgress: true');
  });

  test.each([
    [3, 'waits for a reader'],
    [4, 'fails the call when there is one more than the limit'],
  ])('of %d results %s', async (count) => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('com.report', [], { receiveProgress: true, progressLimit: 3 });
    const outcome = call.then(
      (value) => value,
      (error: unknown) => (error as BaseError).code,
    );
    await router.next(CALL);
    for (let i = 0; i < count; i++) router.result(1, [i], { progress: true });
    router.result(1, ['total']);
    expect(await outcome).toBe(count === 3 ? 'total' : 'BACKLOG_FULL');
    expect(router.all(CANCEL)).toHaveLength(count - 3);
    const waiting: (InvocationProgress | undefined)[] = [];
    if (count === 3) for (let i = 0; i < 4; i++) waiting.push(await call.nextProgress());
    expect(waiting.map((part) => part?.value)).toEqual(count === 3 ? [0, 1, 2, undefined] : []);
  });

  test('is cancelled by leaving the loop', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('com.report');
    const reading = (async () => {
      for await (const part of call) return part.value;
      return undefined;
    })();
    await router.next(CALL);
    router.result(1, ['first'], { progress: true });
    expect(await reading).toBe('first');
    expect((await router.next(CANCEL)).options).toEqual({ mode: 'killnowait' });
  });
});

describe('cancelling', () => {
  test('sends CANCEL with the mode, and rejects with the reason of the signal when the router agrees', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const controller = new AbortController();
    const call = client.call('a', [], { signal: controller.signal, cancelMode: 'skip' });
    await router.next(CALL);
    controller.abort(new Error('changed my mind'));
    const { request, options } = await router.next(CANCEL);
    expect([request, options]).toEqual([1, { mode: 'skip' }]);
    expect([call.done, call.cancelled]).toEqual([false, true]);
    router.error(CALL, 1, 'wamp.error.canceled');
    await expect(call).rejects.toThrow('changed my mind');
  });

  test('in mode kill still takes the result of a callee who was quicker', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('a');
    await router.next(CALL);
    call.cancel('kill');
    await router.next(CANCEL);
    router.result(1, ['done']);
    expect(await call).toBe('done');
  });

  test('fails at once when the router cannot cancel, and a call that has not left does not leave', async () => {
    const router = new ScriptedRouter();
    router.roles = { dealer: {} };
    const client = await router.connect();
    const early = client.call('a');
    early.cancel();
    await expect(early).rejects.toMatchObject({ uri: 'wamp.error.canceled' });
    const sent = client.call('b');
    await settled(() => router.all(CALL).some(({ procedure }) => procedure === 'b'));
    sent.cancel();
    await expect(sent).rejects.toMatchObject({ uri: 'wamp.error.canceled' });
    expect(router.all(CALL).map(({ procedure }) => procedure)).toEqual(['b']);
    await expect(client.call('c', [], { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });

  test('for lack of time is done here when the router has no clock', async () => {
    const router = new ScriptedRouter();
    router.roles = { dealer: { features: { call_canceling: true } } };
    const client = await router.connect();
    const call = client.call('a', [], { callTimeoutMs: 100 });
    await router.next(CALL);
    router.clock.advance(99);
    expect(call.done).toBe(false);
    router.clock.advance(1);
    await expect(call).rejects.toMatchObject({ uri: 'wamp.error.timeout' });
    expect((await router.next(CANCEL)).options).toEqual({ mode: 'killnowait' });
    expect(router.clock.pendingTimers).toBe(0);
  });
});

describe('a stream of arguments', () => {
  test('is CALLs with one id, the last one without progress', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const upload = client.stream('com.upload', { discloseMe: true });
    expect(await upload.write([1])).toBe(true);
    await upload.write([2], { k: 3 });
    const receipt = upload.end([4]);
    await settled(() => router.all(CALL).length === 3);
    expect(
      router.all(CALL).map(({ request, options, payload }) => [request, options['progress'], payload.args]),
    ).toEqual([
      [1, true, [1]],
      [1, true, [2]],
      [1, undefined, [4]],
    ]);
    router.result(1, ['ok']);
    expect(await receipt).toBe('ok');
    await expect(upload.write([5])).rejects.toThrow('the stream has ended');
    const next = client.call('b');
    expect((await router.next(CALL, 4)).request).toBe(2);
    router.result(2, []);
    await next;
  });

  test('writes nothing any more when the call has failed', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const upload = client.stream('com.upload');
    await upload.write([1]);
    router.error(CALL, 1, 'com.error');
    await expect(upload.call).rejects.toMatchObject({ uri: 'com.error' });
    expect(await upload.write([2])).toBe(false);
    expect(router.all(CALL)).toHaveLength(1);
  });

  test('waits with the next ones while the connection holds more than its share', async () => {
    const router = new ScriptedRouter();
    let bufferedBytes = 0;
    const client = await router.connect({
      openTransport: async (request) =>
        Object.defineProperty(await router.open(request), 'bufferedBytes', {
          get: () => bufferedBytes,
          set: () => {},
        }),
    });
    const upload = client.stream('com.upload', { highWaterBytes: 100 });
    bufferedBytes = 100;
    await upload.write([1]);
    bufferedBytes = 101;
    const second = upload.write([2]);
    for (const nowBuffered of [101, 101, 100]) {
      await settled(() => router.clock.pendingTimers === 1);
      expect(router.all(CALL)).toHaveLength(1);
      bufferedBytes = nowBuffered;
      router.clock.advance(10);
    }
    expect(await second).toBe(true);
    await router.next(CALL, 2);
    await client.close();
  });
});

test('an ERROR becomes what its URI is mapped to: exactly, else by the longest pattern', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect();
  const named = (name: string): new (error: WampError) => Error =>
    class extends Error {
      constructor(error: WampError) {
        super(error.message);
        this.name = name;
      }
    };
  client.mapError('com.', named('prefix'), { match: 'prefix' });
  client.mapError('com.shop.', named('longer prefix'), { match: 'prefix' });
  client.mapError('com..empty.again', named('wildcard'), { match: 'wildcard' });
  client.mapError('com.shop.empty', named('exact'));
  client.mapError('com.shop.', named('later'), { match: 'prefix' });
  const nameOf = (uri: string): string => client.errorMap.errorToException(new WampError(uri)).name;
  expect(
    ['com.shop.empty', 'com.shop.other', 'com.bank.other', 'com.shop.empty.again', 'org.other'].map(nameOf),
  ).toEqual(['exact', 'later', 'prefix', 'wildcard', 'WampError']);
  await client.close();
});
