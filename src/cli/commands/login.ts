import type { Command } from 'commander';
import { configFile, type CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { ServerApi } from '../server-api.js';
import { DEFAULT_SERVER, parseServerUrl } from '../server-options.js';
import { tokenIdentity } from '../token-identity.js';

interface LoginOptions {
  readonly server: string;
  readonly token?: string;
  readonly force?: boolean;
  readonly showToken?: boolean;
  readonly json?: boolean;
}

export function addLoginCommand(program: Command, context: CommandContext): void {
  program
    .command('login')
    .description('get an identity from a server, or keep a token that you have')
    .option('-s, --server <url>', 'where the server is', DEFAULT_SERVER)
    .option('--token <token>', 'a token from elsewhere; it is checked and kept')
    .option('--force', 'take a new identity although there is one; the old one is lost')
    .option('--show-token', 'print the token too')
    .option('--json', 'print {"identity", "token"}')
    .addHelpText(
      'after',
      example('chorale login', 'chorale login --server https://chat.example --token eyJ…'),
    )
    .action((options: LoginOptions) => login(context, options));
}

async function login(context: CommandContext, options: LoginOptions): Promise<void> {
  const { terminal } = context;
  const anonymous = new ServerApi(parseServerUrl(options.server), undefined, context.stop);
  const config = configFile(context);
  const known = options.force === true ? undefined : (await config.serverEntry(anonymous.url)).token;
  const token = options.token ?? known ?? (await anonymous.createIdentity()).token;
  const identity = tokenIdentity(token);
  await anonymous.withToken(token).verifyIdentity(identity);
  if (token !== known) await config.updateServer(anonymous.url, { token });
  if (options.json === true) return terminal.out(JSON.stringify({ identity, token }));
  terminal.note(`${token === known ? 'you are already logged in' : 'logged in'} at ${anonymous.url} as`);
  terminal.out(identity);
  if (options.showToken === true) terminal.out(token);
}
