import { Command, CommanderError } from 'commander';
import { addBackupCommand } from './commands/backup.js';
import { addBuildCommand } from './commands/build.js';
import { addCallCommand } from './commands/call.js';
import { addDeleteCommand } from './commands/delete.js';
import { addDescribeCommand } from './commands/describe.js';
import { addDevCommand } from './commands/dev.js';
import { addGenerateCommand } from './commands/generate.js';
import { addInitCommand } from './commands/init.js';
import { addListCommand } from './commands/list.js';
import { addLogCommand } from './commands/log.js';
import { addLoginCommand } from './commands/login.js';
import { addLogsCommand } from './commands/logs.js';
import { addPublishCommand } from './commands/publish.js';
import { addRestoreCommand } from './commands/restore.js';
import { addSqlCommand } from './commands/sql.js';
import { addStartCommand } from './commands/start.js';
import { CliError, ExitCode } from './cli-error.js';
import type { CommandContext } from './command-context.js';
import { example } from './help-example.js';
import { sanitize } from './terminal.js';
import { packageVersion } from './package-info.js';

// In the order of a first day: make one, work on it, run it, look at it.
const COMMANDS = [
  addInitCommand,
  addDevCommand,
  addStartCommand,
  addBuildCommand,
  addPublishCommand,
  addGenerateCommand,
  addCallCommand,
  addSqlCommand,
  addLogsCommand,
  addDescribeCommand,
  addListCommand,
  addDeleteCommand,
  addBackupCommand,
  addRestoreCommand,
  addLogCommand,
  addLoginCommand,
];

const EXIT_CODES = `
Exit codes: 0 done, 1 it did not work, 2 it was asked for in a way that cannot work.`;

/**
 * Runs one command.
 * @param argv the words after `chorale`.
 */
export async function runCli(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return ExitCode.OK;
  } catch (error) {
    return report(error, context);
  }
}

function buildProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('chorale')
    .description('A real-time application server for TypeScript')
    .version(packageVersion())
    .addHelpText(
      'after',
      `${example('chorale init chat && cd chat && npm install && npx chorale dev')}\n${EXIT_CODES}`,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    });
  for (const add of COMMANDS) add(program, context);
  for (const command of program.commands) {
    command.copyInheritedSettings(program).showSuggestionAfterError();
    command.showHelpAfterError(`Try \`chorale ${command.name()} --help\`.`);
  }
  return program;
}

function report(error: unknown, { terminal, stop }: CommandContext): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  if (stop.aborted) return ExitCode.OK;
  if (error instanceof CliError) {
    terminal.note(`${terminal.paint('red', 'error:')} ${sanitize(error.message)}`);
    if (error.hint !== undefined) terminal.note(sanitize(error.hint));
    return error.exitCode;
  }
  // Not foreseen: whoever reports it needs the stack.
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return ExitCode.FAILURE;
}
