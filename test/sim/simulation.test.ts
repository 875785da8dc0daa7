import { expect, it } from 'vitest';

import { runSeed } from './run-seed.js';
import { Simulation } from './simulation.js';
import { type Step, stepsOf } from './steps.js';

it('twenty seeds of crashes, full and slow disks and jumping clocks keep every promise', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const failure = await runSeed(seed, 200);
    expect(failure?.text).toBeUndefined();
  }
}, 120_000);

it('a failure comes with its seed and the fewest steps that show it', async () => {
  // As if a power cut lost something whenever the disk had been slow before.
  const check = async (steps: readonly Step[]): Promise<string | undefined> => {
    const slowAt = steps.findIndex(({ kind }) => kind === 'slowDisk');
    const isLost = slowAt >= 0 && steps.slice(slowAt).some(({ kind }) => kind === 'cutPower');
    return isLost ? 'k1 was acknowledged and is gone' : undefined;
  };
  const failure = await runSeed(3, 150, check);
  expect(failure?.steps.map(({ kind }) => kind)).toEqual(['slowDisk', 'cutPower']);
  expect(failure?.text.split('\n')).toEqual([
    'seed 3: k1 was acknowledged and is gone',
    'again: npm run sim -- --seed 3 --steps 150',
    `shortest: npm run sim -- --repeat '${JSON.stringify(failure?.steps)}'`,
  ]);
});

it('the same seed is the same run', async () => {
  expect(await Simulation.run(stepsOf(7, 150))).toBe(await Simulation.run(stepsOf(7, 150)));
});
