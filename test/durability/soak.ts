import { parseArgs } from 'node:util';

import { runCrashRounds } from './crash-rounds.js';
import { LEDGER } from './wire-client.js';

/* npm run soak -- [--rounds 200] [--seed N] [--key-bytes 8192] */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    'key-bytes': { type: 'string', default: '0' },
  },
});
const keyBytes = Number(values['key-bytes']);
const subject = keyBytes === 0 ? LEDGER : { ...LEDGER, keyBytes };
const report = await runCrashRounds(Number(values.rounds), Number(values.seed), subject, (round) => {
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
