import { join } from 'node:path';
import { createServer, type ChoraleServer } from '../server/create-server.js';
import { CliError, errorText } from './cli-error.js';
import { configFile, type CommandContext } from './command-context.js';
import { ServerApi } from './server-api.js';

export interface LocalServerOptions {
  readonly host: string;
  readonly port: number;
  /** Where the key and the owner's token lie. */
  readonly dataDirectory: string;
  readonly staticDirectory?: string | undefined;
  /** For how long the past is kept, in milliseconds. */
  readonly retainMs?: number | undefined;
  readonly anonymousPublish?: boolean | undefined;
  /** What to do when the port is taken. */
  readonly portHint: string;
}

export interface LocalServer {
  /** The way to it for us, as its owner. */
  readonly api: ServerApi;
  /** The address to show to people. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a server in this process, and remembers where its owner's token lies for the other commands. */
export async function startLocalServer(
  context: CommandContext,
  options: LocalServerOptions,
): Promise<LocalServer> {
  const server = await openServer(context, options);
  const url = visibleUrl(server.url);
  const entry = { configDirectory: join(options.dataDirectory, 'config') };
  await configFile(context).updateServer(server.url, entry);
  const api = new ServerApi(server.url, server.owner.token, context.stop);
  return { api, url, close: () => server.close() };
}

async function openServer(context: CommandContext, options: LocalServerOptions): Promise<ChoraleServer> {
  const { host, port, dataDirectory, staticDirectory, retainMs = 0, anonymousPublish = false } = options;
  try {
    return await createServer({
      host,
      port,
      dataDirectory,
      anonymousPublish,
      retainMs,
      ...(staticDirectory === undefined ? {} : { staticDirectory }),
      onError: (error, where) => context.terminal.note(`${where}: ${errorText(error)}`),
    });
  } catch (cause) {
    throw startError(cause, options);
  }
}

function startError(cause: unknown, { host, port, portHint: hint }: LocalServerOptions): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return new CliError(`port ${port} is in use already`, { cause, hint });
  if (code === 'EACCES') return new CliError(`port ${port} may not be opened by this user`, { cause, hint });
  if (code === 'EADDRNOTAVAIL') return new CliError(`this machine has no address ${host}`, { cause });
  return cause;
}

/** Browsers treat `localhost` like a secure origin, and people know it. */
function visibleUrl(url: string): string {
  return url.replace('//127.0.0.1:', '//localhost:').replace('//0.0.0.0:', '//localhost:');
}
