import { parseArgs } from 'node:util';

import { problemOf, runSeed } from './run-seed.js';
import type { Step } from './steps.js';

/*
 * npm run sim -- [--seed N] [--seeds COUNT] [--steps COUNT] [--repeat STEPS]
 *
 * Without a seed it takes one from the clock and says which.
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '200' },
    repeat: { type: 'string' },
  },
});

async function main(): Promise<number> {
  if (values.repeat !== undefined) {
    const problem = await problemOf(JSON.parse(values.repeat) as Step[]);
    process.stdout.write(`${problem ?? 'it holds'}\n`);
    return problem === undefined ? 0 : 1;
  }
  const first = Number(values.seed ?? Date.now() % 1_000_000_000);
  const count = Number(values.seeds);
  for (let seed = first; seed < first + count; seed++) {
    process.stdout.write(`seed ${seed}\n`);
    const failure = await runSeed(seed, Number(values.steps));
    if (failure === undefined) continue;
    process.stdout.write(`${failure.text}\n`);
    return 1;
  }
  process.stdout.write(`${count} seeds hold\n`);
  return 0;
}

process.exitCode = await main();
