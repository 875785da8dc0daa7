import { InvalidArgumentError, Option } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `7d`, `12h`, `30m` as milliseconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * UNIT_MS[unit]!;
  throw new InvalidArgumentError('Write it like 7d, 12h or 30m.');
}

/** How much of the past a server keeps. */
export function retainOption(): Option {
  return new Option(
    '--retain <time>',
    'keep log and snapshots so long, for `restore --at`; like 7d (default: only what a restart needs)',
  ).argParser(parseDuration);
}
