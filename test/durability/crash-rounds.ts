import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { seededRandom } from '../../src/base/random.js';
import { LEDGER, readKeys, readLedger, type Subject, WireClient } from './wire-client.js';

const WRITERS = 4;
const IN_FLIGHT = 8;

/** What several rounds of killing and starting again have shown. */
export interface CrashReport {
  readonly rounds: number;
  readonly acked: number;
  readonly kept: number;
  /** Acknowledged and gone. */
  readonly missing: readonly string[];
  /** Applied more than once. */
  readonly repeated: readonly string[];
  /** Shown to a subscriber who wants confirmed things only, and gone. */
  readonly unseen: readonly string[];
  /** How many refusals told of a line that was there. */
  readonly refused: number;
  /** Lines that such a refusal told of, and that are gone. */
  readonly unfounded: readonly string[];
  /** Rounds after which the count beside the lines was not their number. */
  readonly halfTransactions: number;
}

/**
 * Starts a server process on a real folder, loads it from several clients over WebSocket, kills it with SIGKILL at a random
 * moment, starts it again and compares what it has with what clients were told; `rounds` times on the same data.
 */
export async function runCrashRounds(
  rounds: number,
  seed: number,
  subject: Subject = LEDGER,
  onRound: (round: number) => void = () => {},
): Promise<CrashReport> {
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'chorale-crash-'));
  const program = await bundleChild();
  const told: Told = { acked: [], seen: new Set(), refused: new Set() };
  let halfTransactions = 0;
  let keys: readonly string[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const server = await CrashServer.start(program, folder, subject);
      try {
        await loadUntilKilled(server, subject, round, random.nextFloat() * 150, told);
      } finally {
        await server.kill();
      }
      const next = await CrashServer.start(program, folder, subject);
      try {
        keys = await readKeys(next.url, subject);
        if (subject === LEDGER && (await readLedger(next.url)).total !== keys.length) halfTransactions += 1;
      } finally {
        await next.kill();
      }
      onRound(round);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const kept = new Set(keys);
  return {
    rounds,
    acked: told.acked.length,
    kept: keys.length,
    missing: told.acked.filter((key) => !kept.has(key)),
    repeated: repeatedOf(keys),
    unseen: [...told.seen].filter((key) => !kept.has(key)),
    refused: told.refused.size,
    unfounded: [...told.refused].filter((key) => !kept.has(key)),
    halfTransactions,
  };
}

/** A server of the ledger in a process of its own, on a new folder, for as long as `work` takes. */
export async function withCrashServer(
  work: (server: { readonly url: string; readonly child: ChildProcess }, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-crash-'));
  try {
    const server = await CrashServer.start(await bundleChild(), folder, LEDGER);
    try {
      await work(server, folder);
    } finally {
      await server.kill();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What clients who want confirmed things only were told in all rounds. */
interface Told {
  readonly acked: string[];
  readonly seen: Set<string>;
  readonly refused: Set<string>;
}

function repeatedOf(keys: readonly string[]): string[] {
  const known = new Set<string>();
  return keys.filter((key) => known.size === known.add(key).size);
}

async function loadUntilKilled(
  server: CrashServer,
  subject: Subject,
  round: number,
  afterMs: number,
  told: Told,
): Promise<void> {
  const watcher = await WireClient.connect(server.url, subject);
  watcher.subscribe();
  const writers = await Promise.all(
    Array.from({ length: WRITERS }, () => WireClient.connect(server.url, subject)),
  );
  const doubters = subject === LEDGER ? await askForReasons(server, round) : [];
  let next = 0;
  const fill = (writer: WireClient, number: number): void => {
    while (writer.unanswered < IN_FLIGHT)
      writer.put(`${round}.${number}.${next++}.`.padEnd(subject.keyBytes ?? 0, 'x'));
  };
  const firstAck = new Promise<void>((resolve) => {
    for (const [i, writer] of writers.entries()) {
      writer.onAcked = () => {
        resolve();
        fill(writer, i);
      };
      fill(writer, i);
    }
  });
  await firstAck;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  server.child.kill('SIGKILL');
  await Promise.all([watcher, ...writers, ...doubters].map((client) => client.closed));
  for (const writer of writers) told.acked.push(...writer.acked);
  for (const key of watcher.seen) told.seen.add(key);
  for (const doubter of doubters) for (const key of doubter.refused) told.refused.add(key);
}

/**
 * One client hears at once of what it put, and lets another one put the same, who wants confirmed things only: his refusal is due to
 * what is hardly on disk.
 */
async function askForReasons({ url }: CrashServer, round: number): Promise<WireClient[]> {
  const hasty = await WireClient.connect(url, LEDGER, false);
  const doubter = await WireClient.connect(url);
  let next = 0;
  const put = (): void => hasty.put(`${round}.hasty.${next++}`);
  hasty.onAcked = () => doubter.putOnce(hasty.acked.at(-1)!);
  doubter.onAcked = put;
  put();
  // What the hasty one is told is no promise.
  return [doubter];
}

class CrashServer {
  readonly url: string;
  readonly child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.child = child;
  }

  static async start(program: string, folder: string, subject: Subject): Promise<CrashServer> {
    const { database, moduleFolder } = subject;
    const module = moduleFolder === undefined ? [] : [moduleFolder];
    const child = fork(program, [folder, database, ...module], { execArgv: [] });
    const exit = once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with code ${String(code)} before it was up`);
    });
    const [url] = (await Promise.race([once(child, 'message'), exit])) as [string];
    exit.catch(() => {});
    return new CrashServer(url, child);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** One file, so that a start costs little; beside the build, where packages are found. */
async function bundleChild(): Promise<string> {
  const outfile = fileURLToPath(new URL('../../dist/test/crash-child.mjs', import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL('crash-child.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}
