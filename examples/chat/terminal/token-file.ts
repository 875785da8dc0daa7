import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TokenStore } from '../client/chat-session.js';

/** Where the token of a client lies: each number is a person of its own. */
export function tokenPath(client: string, environment: Readonly<Record<string, string | undefined>>): string {
  if (!/^\d{1,6}$/.test(client)) throw new Error(`--client takes a number, not ${client}`);
  const base = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'chorale-chat', `client-${client}.token`);
}

/** A token in a file that only its owner can read: whoever has it is that person. */
export function fileTokens(path: string): TokenStore {
  return {
    read() {
      try {
        return readFileSync(path, 'utf8').trim() || undefined;
      } catch {
        return undefined;
      }
    },
    write(token) {
      if (token === undefined) return rmSync(path, { force: true });
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, `${token}\n`, { mode: 0o600 });
    },
  };
}
