import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigFile } from './config-file.js';
import type { Terminal } from './terminal.js';

/** What a command has of the world. Tests hand in their own. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Aborted when the user wants to stop (Ctrl-C): commands that run on end in good order. */
  readonly stop: AbortSignal;
}

/** The user's own file: CHORALE_CONFIG, or `chorale/config.json` where the system keeps configuration. */
export function configFile({ environment, workingDirectory }: CommandContext): ConfigFile {
  const named = environment['CHORALE_CONFIG'];
  if (named !== undefined && named !== '') return new ConfigFile(resolve(workingDirectory, named));
  const base = environment['XDG_CONFIG_HOME'] || join(environment['HOME'] ?? homedir(), '.config');
  return new ConfigFile(join(base, 'chorale', 'config.json'));
}

/** Resolves when the user wants to stop. */
export async function untilStopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((done) => stop.addEventListener('abort', () => done(), { once: true }));
}
