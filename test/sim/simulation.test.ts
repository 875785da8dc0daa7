import { expect, it } from 'vitest';

import { runSeed } from './run-seed.js';
import { Simulation } from './simulation.js';
import { stepsOf } from './steps.js';

it('twenty seeds of crashes, full and slow disks and jumping clocks keep every promise', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const failure = await runSeed(seed, 120);
    expect(failure?.text).toBeUndefined();
  }
}, 120_000);

it('the same seed is the same run', async () => {
  expect(await Simulation.run(stepsOf(7, 150))).toBe(await Simulation.run(stepsOf(7, 150)));
});
