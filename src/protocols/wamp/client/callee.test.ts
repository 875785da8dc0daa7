import { describe, expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import type { ErrorMessage, Yield } from './message.js';
import type { Handler, RegisterOptions } from './callee.js';
import type { Client } from './client.js';
import { Interrupt, WampError } from './errors.js';
import { setInvocationError } from './error-map.js';
import { progress, result } from './results.js';
import { lastYieldIsResult } from './last-yield.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { register: REGISTER, registered, yield: YIELD, error: ERROR, unregister: UNREGISTER } = MessageType;

/** A client that serves one procedure, with the registration id 7. */
async function serving(
  handler: Handler,
  options: RegisterOptions = {},
): Promise<{ router: ScriptedRouter; client: Client; answers: () => string[] }> {
  const router = new ScriptedRouter();
  const client = await router.connect();
  const registering = client.register('com.do', handler, options);
  const { request } = await router.next(REGISTER);
  router.send({ type: registered, request, registration: 7 });
  await registering;
  return { router, client, answers: () => [...router.all(YIELD), ...router.all(ERROR)].map(trace) };
}

/** `yield 1 [3] {}` */
function trace(message: Yield | ErrorMessage): string {
  const { payload, request } = message;
  const kwargs = Object.keys(payload.kwargs).length > 0 ? ` ${JSON.stringify(payload.kwargs)}` : '';
  const args = JSON.stringify(payload.args) + kwargs;
  if (message.type === ERROR) return `error ${request} ${message.error} ${args}`;
  return `${message.options['progress'] === true ? 'progress' : 'yield'} ${request} ${args}`;
}

describe('registering', () => {
  test('sends the options and gives a handle with the id', async () => {
    const { router, client } = await serving(() => 1, {
      matchPolicy: 'prefix',
      invocationPolicy: 'roundrobin',
      discloseCaller: true,
      concurrency: 2,
      forwardTimeout: true,
    });
    const { options, procedure } = router.all(REGISTER)[0]!;
    expect([procedure, options]).toEqual([
      'com.do',
      { match: 'prefix', invoke: 'roundrobin', disclose_caller: true, concurrency: 2, forward_timeout: true },
    ]);
    expect(client.getRegistrationIds('com.do')).toEqual([7]);
    const ending = client.unregister('com.do');
    const { request, registration } = await router.next(UNREGISTER);
    expect(registration).toBe(7);
    router.send({ type: MessageType.unregistered, request });
    await ending;
    expect(client.getRegistrationIds('com.do')).toEqual([]);
    await expect(client.unregister('com.do')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('rejects with what the router says', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const registering = expect(client.register('com.do', () => 1)).rejects.toMatchObject({
      name: 'ProcedureAlreadyExists',
    });
    await router.next(REGISTER);
    router.error(REGISTER, 1, 'wamp.error.procedure_already_exists');
    await registering;
  });

  test('serves an invocation that follows REGISTERED in the same turn', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    void client.register('com.do', () => 'at once');
    await router.next(REGISTER);
    router.send({ type: registered, request: 1, registration: 7 });
    router.invoke(1, 7, []);
    expect((await router.next(YIELD)).payload.args).toEqual(['at once']);
  });

  test('that was revoked by the router is over', async () => {
    const { router, client } = await serving(() => 1);
    const revoked: unknown[] = [];
    client.on('revoked', (details) => revoked.push(details));
    router.send({
      type: MessageType.unregistered,
      request: 0,
      details: { registration: 7, reason: 'com.moved' },
    });
    await settled(() => revoked.length === 1);
    expect(client.getRegistrationIds('com.do')).toEqual([]);
    router.invoke(1, 7, []);
    expect((await router.next(ERROR)).error).toBe('wamp.error.no_such_procedure');
  });
});

describe('a handler', () => {
  test.each<[string, Handler, string]>([
    ['that returns a value', ({ args: [a, b] }) => Number(a) + Number(b), 'yield 1 [3]'],
    ['that returns a promise', async ({ args: [a] }) => a, 'yield 1 [1]'],
    ['that returns nothing', () => undefined, 'yield 1 []'],
    ['that returns a list', () => [1, 2], 'yield 1 [[1,2]]'],
    ['that returns several values', () => result([1, 2], { unit: 'm' }), 'yield 1 [1,2] {"unit":"m"}'],
    ['that answers by itself', (invocation) => invocation.sendResult([4]), 'yield 1 [4]'],
    [
      'that throws an error',
      () => {
        throw new WampError('com.no', [1], { k: 2 });
      },
      'error 1 com.no [1] {"k":2}',
    ],
    [
      'that misses an argument',
      (invocation) => invocation.get(5),
      'error 1 wamp.error.invalid_argument ["there is no argument 5"] {"key":5}',
    ],
    ['that returns what cannot be sent', () => 2n ** 64n, 'error 1 wamp.error.runtime_error'],
  ])('%s', async (_, handler, expected) => {
    const { router, answers } = await serving(handler);
    router.invoke(1, 7, [1, 2]);
    await settled(() => answers().length === 1);
    expect(answers()[0]).toContain(expected);
  });

  test('that breaks is answered and reported', async () => {
    const { router, answers } = await serving(async () => {
      throw new TypeError('oops');
    });
    router.invoke(1, 7, []);
    await settled(() => answers().length === 1);
    expect(answers()).toEqual(['error 1 wamp.error.runtime_error ["oops"]']);
    expect(router.errors).toEqual([expect.objectContaining({ message: 'oops' })]);
  });

  test('may have an error attached, or a class of its own', async () => {
    class Empty extends Error {
      constructor(text: unknown) {
        super(String(text));
      }
    }
    const { router, client, answers } = await serving(({ args: [how] }) => {
      if (how === 'class') throw new Empty('no tea');
      const error = new Error('no tea');
      setInvocationError(error, new WampError('com.by_hand'));
      throw error;
    });
    client.mapError('com.empty', Empty);
    router.invoke(1, 7, ['class']);
    router.invoke(2, 7, ['hand']);
    await settled(() => answers().length === 2);
    expect(answers()).toEqual(['error 1 com.empty ["no tea"]', 'error 2 com.by_hand []']);
    expect(router.errors).toEqual([]);
  });

  test('sees who calls, what, and how long there is', async () => {
    const seen: unknown[] = [];
    const { router, answers } = await serving((invocation) => {
      const {
        callerId,
        callerAuthId,
        callerAuthRole,
        trustLevel,
        timeoutMs,
        procedure,
        registeredProcedure,
      } = invocation;
      seen.push(
        callerId,
        callerAuthId,
        callerAuthRole,
        trustLevel,
        timeoutMs,
        procedure,
        registeredProcedure,
        [...invocation],
      );
    });
    const caller = { caller: 5, caller_authid: 'ada', caller_authrole: 'user', trustlevel: 2 };
    router.invoke(1, 7, ['x'], { ...caller, timeout: 100, procedure: 'com.do.more' });
    await settled(() => answers().length === 1);
    expect(seen).toEqual([5, 'ada', 'user', 2, 100, 'com.do.more', 'com.do', ['x']]);
    expect(router.clock.pendingTimers).toBe(0);
  });
});

describe('a generator', () => {
  async function* report(): AsyncGenerator<unknown, unknown> {
    yield 1;
    yield progress([2, 3], { of: 4 });
    return 'total';
  }

  test('yields progress and returns the result', async () => {
    const { router, answers } = await serving(report);
    router.invoke(1, 7, [], { receive_progress: true });
    await settled(() => answers().length === 3);
    expect(answers()).toEqual(['progress 1 [1]', 'progress 1 [2,3] {"of":4}', 'yield 1 ["total"]']);
  });

  test('only returns, for callers who want no progress', async () => {
    const { router, answers } = await serving(report);
    router.invoke(1, 7, []);
    await settled(() => answers().length === 1);
    expect(answers()).toEqual(['yield 1 ["total"]']);
  });

  test('that yields a result is ended by it', async () => {
    let hasEnded = false;
    const { router, answers } = await serving(function* () {
      try {
        yield 1;
        yield result([2]);
        yield 3;
      } finally {
        hasEnded = true;
      }
    });
    router.invoke(1, 7, [], { receive_progress: true });
    await settled(() => answers().length === 2);
    expect([answers(), hasEnded]).toEqual([['progress 1 [1]', 'yield 1 [2]'], true]);
  });

  test('of the older kind has its last yield taken for the result', async () => {
    const { router, answers } = await serving(
      lastYieldIsResult(function* () {
        yield 1;
        yield 2;
      }),
    );
    router.invoke(1, 7, [], { receive_progress: true });
    await settled(() => answers().length === 2);
    expect(answers()).toEqual(['progress 1 [1]', 'yield 1 [2]']);
  });
});

describe('an interrupted invocation', () => {
  const interrupt = (router: ScriptedRouter, mode: string): void =>
    router.send({ type: MessageType.interrupt, request: 1, options: { mode } });

  test('aborts the signal; killed, it must still answer', async () => {
    const { router, answers } = await serving(async ({ signal }) => {
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    });
    router.invoke(1, 7, []);
    interrupt(router, 'kill');
    await settled(() => answers().length === 1);
    expect(answers()).toEqual(['error 1 wamp.error.canceled []']);
    expect(router.errors).toEqual([]);
  });

  test('may answer with what it has', async () => {
    const { router, answers } = await serving(async function* ({ signal }) {
      try {
        yield 'part';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield 'more';
      } catch (error) {
        return `stopped by ${(error as Interrupt).cancelMode}`;
      }
      return 'total';
    });
    router.invoke(1, 7, [], { receive_progress: true });
    await router.next(YIELD);
    interrupt(router, 'kill');
    await settled(() => answers().length === 2);
    expect(answers()).toEqual(['progress 1 ["part"]', 'yield 1 ["stopped by kill"]']);
  });

  test('without waiting says nothing more', async () => {
    let isOver = false;
    const { router, answers } = await serving(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isOver = true;
      return 'late';
    });
    router.invoke(1, 7, []);
    interrupt(router, 'killnowait');
    await settled(() => isOver);
    router.invoke(2, 7, []);
    await settled(() => router.received.length === 1);
    expect(answers()).toEqual([]);
  });

  test('cannot send progress', async () => {
    let thrown: unknown;
    const { router, answers } = await serving(async (invocation) => {
      await new Promise((resolve) => invocation.signal.addEventListener('abort', resolve));
      try {
        invocation.sendProgress([1]);
      } catch (error) {
        thrown = error;
      }
      return 'x';
    });
    router.invoke(1, 7, [], { receive_progress: true });
    interrupt(router, 'kill');
    await settled(() => answers().length === 1);
    expect(thrown).toBeInstanceOf(Interrupt);
  });

  test('by lack of time answers so itself', async () => {
    const { router, answers } = await serving(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'late';
    });
    router.invoke(1, 7, [], { timeout: 50 });
    await new Promise((resolve) => setImmediate(resolve));
    router.clock.advance(50);
    await settled(() => answers().length === 1);
    expect(answers()[0]).toContain('error 1 wamp.error.timeout');
  });
});

test('arguments that come bit by bit are read from the input', async () => {
  const { router, answers } = await serving(async ({ input }) => {
    let sum = 0;
    for await (const { args } of input) sum += Number(args[0]);
    return sum;
  });
  router.invoke(1, 7, [1], { progress: true });
  router.invoke(1, 7, [2], { progress: true });
  router.invoke(1, 7, [3]);
  router.invoke(2, 7, [10]);
  await settled(() => answers().length === 2);
  expect(answers().toSorted()).toEqual(['yield 1 [6]', 'yield 2 [10]']);
});

test('a handler is told when the connection is gone, and what it answers then is for nobody', async () => {
  let [reason, answered]: [unknown, boolean] = [undefined, false];
  const { router, client, answers } = await serving(async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    reason = signal.reason;
    answered = true;
    return 'late';
  });
  router.invoke(1, 7, []);
  await new Promise((resolve) => setImmediate(resolve));
  router.drop();
  await settled(() => answered);
  expect(reason).toBeInstanceOf(Interrupt);
  expect([client.state, answers(), router.errors]).toEqual(['closed', [], []]);
});

test('arguments of a progressive call that nobody reads end it at 10,000', async () => {
  const { router, answers } = await serving(async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  for (let i = 0; i < 10_000; i++) router.invoke(1, 7, [i], { progress: true });
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers()).toEqual([]);
  router.invoke(1, 7, ['too much'], { progress: true });
  await settled(() => answers().length === 1);
  expect(answers()[0]).toMatch(/^error 1 wamp\.error\.unavailable /);
});
