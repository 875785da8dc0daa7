import { expect, it } from 'vitest';

import { TaskChain } from './task-chain.js';

it('a chain runs one task after the other, and refuses one octet too many', async () => {
  const chain = new TaskChain(10);
  const trace: number[] = [];
  const finish: (() => void)[] = [];
  const task = (n: number) => () => {
    trace.push(n);
    return new Promise<void>((resolve) => finish.push(resolve));
  };
  expect([chain.add(4, task(1)), chain.add(6, task(2)), chain.add(1, task(3))]).toEqual([true, true, false]);
  expect(trace).toEqual([1]);
  finish.shift()!();
  await expect.poll(() => trace).toEqual([1, 2]);
  expect([chain.add(4, task(4)), chain.add(1, task(5))]).toEqual([true, false]);
  finish.shift()!();
  await expect.poll(() => trace).toEqual([1, 2, 4]);
});
