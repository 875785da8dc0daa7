import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

import { benchmarks } from './benchmarks.js';
import { describeMachine } from './framework/machine.js';
import { runAlone, runBenchmark } from './framework/run.js';
import { printRatio } from './framework/table.js';

const USAGE = `usage: npm run bench -- NAME [METRIC...] [--seconds S] [--alone | --json FILE]

Runs ours and the npm peer in turns, each server in its own process, and compares medians.
  NAME          ${benchmarks.map(({ name }) => name).join(' | ')}
  METRIC        only these; default: all
  --seconds S   length of each measured run, default 5
  --alone       ours only, once: no comparison
  --json FILE   raw results with a description of the machine

For example: npm run bench -- websocket echo-1x256 --seconds 2
`;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '5' },
      alone: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const [name, ...metrics] = positionals;
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  const seconds = Number(values.seconds);
  const unknown = metrics.filter((metric) => !benchmark?.metrics.some((one) => one.name === metric));
  if (
    benchmark === undefined ||
    !(seconds > 0) ||
    unknown.length > 0 ||
    (values.alone && values.json !== undefined)
  ) {
    process.stderr.write(USAGE);
    return 2;
  }
  const missing = benchmark.requires;
  if (missing !== undefined && !isInstalled(missing.packageName)) {
    process.stdout.write(
      `${benchmark.name}: SKIPPED, ${missing.packageName} is not installed: ${missing.hint}\n`,
    );
    return 0;
  }
  const wanted = metrics.length === 0 ? () => true : ({ name }: { name: string }) => metrics.includes(name);
  if (values.alone) {
    await runAlone(benchmark, seconds, wanted);
    return 0;
  }
  const machine = describeMachine();
  const reports = await runBenchmark(benchmark, seconds, wanted);
  if (values.json !== undefined) {
    const document = { benchmark: benchmark.name, seconds, machine, metrics: reports };
    await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  process.stdout.write('\n');
  for (const { metric, ratio } of reports) printRatio(benchmark.name, metric, ratio);
  return 0;
}

function isInstalled(packageName: string): boolean {
  try {
    createRequire(import.meta.url).resolve(packageName);
    return true;
  } catch {
    return false;
  }
}

process.exitCode = await main();
