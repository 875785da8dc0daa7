import type { CommandContext } from '../command-context.js';

export interface TestContext extends CommandContext {
  /** What was printed as result, line by line. */
  readonly outLines: string[];
  /** What was said about it. */
  readonly noteLines: string[];
  /** What the user answers to questions. */
  readonly answers: string[];
  /** Ctrl-C. */
  interrupt(): void;
}

/** The world of a command, written down. */
export function testContext(
  options: {
    readonly workingDirectory?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly answers?: readonly string[];
  } = {},
): TestContext {
  const stop = new AbortController();
  const outLines: string[] = [];
  const noteLines: string[] = [];
  const answers = [...(options.answers ?? [])];
  return {
    outLines,
    noteLines,
    answers,
    interrupt: () => stop.abort(),
    terminal: {
      out: (text) => void outLines.push(...text.split('\n')),
      note: (text) => void noteLines.push(...text.split('\n')),
      paint: (_style, text) => text,
      isInteractive: options.answers !== undefined,
      ask: async (question) => {
        noteLines.push(question);
        return answers.shift() ?? '';
      },
    },
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory ?? process.cwd(),
    stop: stop.signal,
  };
}
