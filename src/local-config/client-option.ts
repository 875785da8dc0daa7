import { LocalConfigError } from './local-config-error.js';

/* `--client N` or `--client=N`: several people (or tests) on one machine, each with a file of his own. */

// 64: it becomes part of a file's name, of which file systems allow 255 bytes.
const CLIENT = /^[A-Za-z0-9_-]{1,64}$/;

/** The client that the arguments name, or undefined. The last one counts. Throws LocalConfigError. */
export function clientOption(args: readonly string[]): string | undefined {
  let client: string | undefined;
  for (const [position, arg] of args.entries()) {
    if (arg === '--') break;
    if (arg === '--client') client = checkClient(args[position + 1]);
    else if (arg.startsWith('--client=')) client = checkClient(arg.slice('--client='.length));
  }
  return client;
}

function checkClient(client: string | undefined): string {
  if (client !== undefined && CLIENT.test(client) && !client.startsWith('-')) return client;
  const given = client === undefined ? 'nothing' : JSON.stringify(client);
  throw new LocalConfigError(
    'BAD_NAME',
    `--client takes a number or a short name of letters, digits, _ and -, not ${given}`,
  );
}
