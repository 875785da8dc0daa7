import { CliError } from './cli-error.js';
import type { Terminal } from './terminal.js';

/** Goes on only after a yes. Where nobody can answer, `--yes` must have been said. */
export async function confirm(
  terminal: Terminal,
  question: string,
  isSaid: boolean | undefined,
): Promise<void> {
  if (isSaid === true) return;
  if (!terminal.isInteractive) {
    throw CliError.usage(`${question} Nobody is here to answer.`, 'Say --yes if you are sure.');
  }
  const answer = await terminal.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was changed');
}
