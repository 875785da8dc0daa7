import { parseArgs } from 'node:util';

import { runCrashRounds } from './crash-rounds.js';
import { LEDGER } from './wire-client.js';

/* npm run soak -- [--rounds 200] [--seed N] */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const report = await runCrashRounds(Number(values.rounds), Number(values.seed), LEDGER, (round) => {
  if (round % 10 === 0) process.stderr.write(`${round} rounds\n`);
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
const isGood =
  report.missing.length +
    report.repeated.length +
    report.unseen.length +
    report.unfounded.length +
    report.halfTransactions ===
  0;
process.exitCode = isGood ? 0 : 1;
