import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { PUBLIC_KEY_FILE } from '../identity/keys.js';
import { ownerTokenPath } from '../identity/owner.js';
import { readPrivateFile } from '../identity/private-file.js';
import { CliError } from './cli-error.js';
import { configFile, type CommandContext } from './command-context.js';
import { ServerApi } from './server-api.js';

export const DEFAULT_SERVER = 'http://127.0.0.1:3000';

export interface ServerOptions {
  readonly server: string;
  readonly token?: string | undefined;
  readonly anonymous?: boolean | undefined;
}

/** Which of several tokens to show: the owner's for running a server, one's own for using it. */
export type Purpose = 'own' | 'use';

/** The options of every command that talks to a server. */
export function addServerOptions(command: Command): Command {
  return command
    .option('-s, --server <url>', 'where the server is', DEFAULT_SERVER)
    .option('--token <token>', 'who you are (otherwise CHORALE_TOKEN, the local owner, or your login)')
    .option('--anonymous', 'show no token at all');
}

/** The server that the options name, with the token for the purpose. */
export async function openServer(
  context: CommandContext,
  options: ServerOptions,
  purpose: Purpose,
): Promise<ServerApi> {
  const anonymous = new ServerApi(parseServerUrl(options.server), undefined, context.stop);
  if (options.anonymous === true) return anonymous;
  return anonymous.withToken(await chooseToken(context, anonymous, options.token, purpose));
}

/** The address of a server without a path. `local` is the default one. */
export function parseServerUrl(text: string): string {
  if (text === 'local') return DEFAULT_SERVER;
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url !== undefined && /^(https?|wss?):$/.test(url.protocol)) {
    return `${url.protocol.replace('ws', 'http')}//${url.host}`;
  }
  throw CliError.usage(`${text} is not the address of a server`, `Write it like ${DEFAULT_SERVER}.`);
}

async function chooseToken(
  context: CommandContext,
  server: ServerApi,
  named: string | undefined,
  purpose: Purpose,
): Promise<string | undefined> {
  const explicit = named ?? context.environment['CHORALE_TOKEN'];
  if (explicit !== undefined && explicit !== '') return explicit;
  const { token, configDirectory } = await configFile(context).serverEntry(server.url);
  if (purpose === 'use' && token !== undefined) return token;
  return (await localOwnerToken(server, configDirectory)) ?? token;
}

/**
 * The token of the server's owner, if the server that answers is the one that was started here. Its key is compared first:
 * another server on the same port would only answer that the token is not its own.
 */
async function localOwnerToken(
  server: ServerApi,
  directory: string | undefined,
): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  try {
    const token = await readPrivateFile(ownerTokenPath(directory));
    const key = await readFile(join(directory, PUBLIC_KEY_FILE), 'utf8');
    return token !== undefined && key === (await server.publicKey()) ? token.trim() : undefined;
  } catch {
    // Removed, somebody else's, or no server: the next best token is tried, and the server says what is missing.
    return undefined;
  }
}
