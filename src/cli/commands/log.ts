import { InvalidArgumentError, type Command } from 'commander';
import { planRepair, repairLog, type RepairPlan, snapshotProblem } from '../../engine/log/cut-log.js';
import { scanLog } from '../../engine/log/scan-log.js';
import { listSnapshots, snapshotName } from '../../engine/log/snapshot-file.js';
import { lockDataDirectory, readOldestProgram, type StoredDatabase } from '../../server/data-directory.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { RecordView } from '../record-view.js';
import {
  addDataOption,
  dataFolder,
  type DataOptions,
  nameOf,
  storedDatabases,
  tellLogErrors,
} from '../stored-data.js';

interface ShowOptions extends DataOptions {
  readonly json?: boolean;
  readonly from: number;
  readonly to: number;
}

interface RepairOptions extends DataOptions {
  readonly yes?: boolean;
}

export function addLogCommand(program: Command, context: CommandContext): void {
  const log = program
    .command('log')
    .description('look at the transaction logs in a data directory, and repair them')
    .addHelpText('after', example('chorale log show chat', 'chorale log verify'));
  const shown = log
    .command('show [database]')
    .description('print what each transaction did; a server may be running')
    .option('--from <number>', 'the first transaction to show', parseOffset, 0)
    .option('--to <number>', 'the last one', parseOffset, Number.POSITIVE_INFINITY)
    .option('--json', 'one JSON object per line')
    .addHelpText('after', example('chorale log show chat --from 100 --to 120'));
  addDataOption(shown).action((name: string | undefined, options: ShowOptions) =>
    tellLogErrors(() => show(context, name, options)),
  );
  const verified = log
    .command('verify [database]')
    .description('read everything and compare checksums; a server may be running')
    .addHelpText('after', example('chorale log verify --data-dir .chorale'));
  addDataOption(verified).action((name: string | undefined, options: DataOptions) =>
    tellLogErrors(() => verify(context, name, options)),
  );
  const repaired = log
    .command('repair <database>')
    .description('cut a damaged log off where the damage begins; says what is lost, and does it with --yes')
    .option('--yes', 'do it')
    .addHelpText('after', example('chorale log repair chat'));
  addDataOption(repaired).action((name: string, options: RepairOptions) =>
    tellLogErrors(() => repair(context, name, options)),
  );
  for (const command of log.commands) command.copyInheritedSettings(log);
}

function parseOffset(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be the number of a transaction.');
}

async function show(
  context: CommandContext,
  name: string | undefined,
  { from, to, json = false, ...options }: ShowOptions,
): Promise<void> {
  const databases = await storedDatabases(context, options, name);
  for (const { disk, identity } of databases) {
    const view = new RecordView();
    const first = await readOldestProgram(disk, identity.key);
    if (first !== undefined) await view.learn(first);
    await scanLog(disk, identity.key, async (record, offset) => {
      await view.note(record);
      if (offset < from || offset > to) return;
      const shown = view.describe(record, offset);
      if (json) context.terminal.out(JSON.stringify(shown));
      else for (const line of view.lines(shown)) context.terminal.out(line);
    });
  }
}

async function verify(
  context: CommandContext,
  name: string | undefined,
  options: DataOptions,
): Promise<void> {
  let problems = 0;
  for (const database of await storedDatabases(context, options, name)) {
    for (const { text, isBad } of await verifyOne(database)) {
      context.terminal.out(`${nameOf(database)}: ${text}`);
      if (isBad) problems += 1;
    }
  }
  if (problems > 0)
    throw new CliError(`${problems} problems were found`, {
      hint: 'Restore a backup, or see what `chorale log repair DATABASE` would keep.',
    });
}

interface Finding {
  readonly text: string;
  readonly isBad: boolean;
}

async function verifyOne({ disk, identity }: StoredDatabase): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const offset of await listSnapshots(disk)) {
    const problem = await snapshotProblem(disk, offset, identity.key);
    findings.push({ text: problem ?? `${snapshotName(offset)}: good`, isBad: problem !== undefined });
  }
  for (const { name, bytes, firstOffset, lastOffset, damage } of await scanLog(disk, identity.key)) {
    const range =
      lastOffset < firstOffset ? 'no transactions' : `transactions ${firstOffset} to ${lastOffset}`;
    if (damage === undefined)
      findings.push({ text: `${name}: good, ${range}, ${bytes} bytes`, isBad: false });
    else if (damage.isTornTail) {
      const text = `${name}: ${range}; an unfinished write at byte ${damage.at} (${damage.reason}), which nobody was told of`;
      findings.push({ text, isBad: false });
    } else {
      const text = `${name}: ${range}; damaged at byte ${damage.at}: ${damage.reason}`;
      findings.push({ text, isBad: true });
    }
  }
  return findings;
}

async function repair(context: CommandContext, name: string, options: RepairOptions): Promise<void> {
  const lock = await lockDataDirectory(dataFolder(context, options));
  try {
    for (const { disk, identity } of await storedDatabases(context, options, name)) {
      const plan = await planRepair(disk, identity.key);
      if (plan === undefined) {
        context.terminal.note('the log is good: there is nothing to repair');
        continue;
      }
      for (const line of describePlan(plan)) context.terminal.out(line);
      if (options.yes !== true) {
        throw new CliError('nothing was changed', { hint: 'Run it again with --yes to cut.' });
      }
      await repairLog(disk, plan);
      context.terminal.note('done; what was cut off stays beside the log in files that end with .cut');
    }
  } finally {
    await lock.release();
  }
}

function describePlan(plan: RepairPlan): string[] {
  const { segment, damage, lastKept, cutBytes, lostSegments, snapshot } = plan;
  const lines = [
    `${segment} is damaged at byte ${damage.at}: ${damage.reason}`,
    `kept: everything up to transaction ${lastKept}`,
    `cut: ${cutBytes} bytes at the end of ${segment}`,
  ];
  for (const lost of lostSegments) lines.push(`cut: all of ${lost}`);
  if (snapshot !== undefined) lines.push(`a snapshot holds everything up to transaction ${snapshot}`);
  return lines;
}
