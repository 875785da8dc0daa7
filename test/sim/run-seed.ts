import { Simulation } from './simulation.js';
import { type Step, stepsOf } from './steps.js';

// Runs that shortening may cost: some ten seconds.
const SHORTENING_RUNS_MAX = 400;

export interface SeedFailure {
  readonly seed: number;
  readonly message: string;
  /** The fewest steps found that fail still. */
  readonly steps: readonly Step[];
  readonly text: string;
}

/** What is wrong after these steps, if anything. */
type Check = (steps: readonly Step[]) => Promise<string | undefined>;

/** Runs one seed. A failure comes with the shortest steps that show it. */
export async function runSeed(
  seed: number,
  stepCount: number,
  check: Check = problemOf,
): Promise<SeedFailure | undefined> {
  const steps = stepsOf(seed, stepCount);
  const message = await check(steps);
  if (message === undefined) return undefined;
  const shortest = await shorten(steps, check);
  const text =
    `seed ${seed}: ${message}\nagain: npm run sim -- --seed ${seed} --steps ${stepCount}\n` +
    `shortest: npm run sim -- --repeat '${JSON.stringify(shortest)}'`;
  return { seed, message, steps: shortest, text };
}

export async function problemOf(steps: readonly Step[]): Promise<string | undefined> {
  try {
    await Simulation.run(steps);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message === '' ? error.name : error.message) : String(error);
  }
}

/** Leaves out pieces, large ones first, as long as it fails without them. */
async function shorten(steps: readonly Step[], check: Check): Promise<readonly Step[]> {
  let shortest = steps;
  let runs = 0;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < shortest.length && runs < SHORTENING_RUNS_MAX;) {
      const without = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      runs += 1;
      if ((await check(without)) === undefined) at += size;
      else shortest = without;
    }
  }
  return shortest;
}
