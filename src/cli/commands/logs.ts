import { InvalidArgumentError, type Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { isAtLeast, LOG_LEVELS, readLogLine, renderLogLine } from '../log-line.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

interface LogsOptions extends ServerOptions {
  readonly numLines?: number;
  readonly follow?: boolean;
  readonly level: string;
  readonly json?: boolean;
}

export function addLogsCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('logs <database>')
    .description("print what a database's module has logged")
    .option('-n, --num-lines <count>', 'only the last lines', parseCount)
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('--level <level>', `leave out what is less than: ${LOG_LEVELS.join(', ')}`, parseLevel, 'trace')
    .option('--json', 'one JSON object a line, as the server sends it')
    .addHelpText('after', example('chorale logs chat --follow --level warn'));
  addServerOptions(command).action(async (database: string, options: LogsOptions) => {
    const server = await openServer(context, options, 'own');
    const { terminal } = context;
    for await (const line of server.logs(database, options.numLines, options.follow === true)) {
      const entry = readLogLine(line);
      if (!isAtLeast(entry.level, options.level)) continue;
      terminal.out(options.json === true ? line : renderLogLine(entry, terminal));
    }
  });
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function parseLevel(text: string): string {
  if ((LOG_LEVELS as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`It must be one of ${LOG_LEVELS.join(', ')}.`);
}
