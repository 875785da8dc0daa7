import { parseArgs } from 'node:util';
import { TerminalChat } from './terminal-chat.js';
import { fileTokens, tokenPath } from './token-file.js';

const HELP = `Chorale chat, in a terminal.

  npm run chat -- [--client NUMBER] [--server URL]

  --client NUMBER   who you are: each number is a person of its own (default 1)
  --server URL      where the chat runs (default http://127.0.0.1:3000)

Type a message and press Enter. /name NAME changes your name, /who lists who is here, /quit leaves.`;

try {
  const { values } = parseArgs({
    options: {
      client: { type: 'string', default: '1' },
      server: { type: 'string', default: 'http://127.0.0.1:3000' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(`${HELP}\n`);
  } else {
    const tokens = fileTokens(tokenPath(values.client, process.env));
    new TerminalChat({ uri: values.server, tokens, input: process.stdin, output: process.stdout }).run();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
  process.exitCode = 2;
}
