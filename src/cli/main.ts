#!/usr/bin/env node
import { runCli } from './program.js';
import { processTerminal } from './terminal.js';

const stop = new AbortController();

// The first Ctrl-C asks for an end in good order; whoever is in a hurry presses it twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}

// Whoever reads us has seen enough: `chorale logs chat | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), {
  terminal: processTerminal(process.env),
  environment: process.env,
  workingDirectory: process.cwd(),
  stop: stop.signal,
});
