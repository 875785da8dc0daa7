import { createInterface } from 'node:readline/promises';
import { stripVTControlCharacters, styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a command writes and asks. Results go out; everything said about them goes to the side, so pipes stay clean. */
export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** A line about what happens: progress, warnings, hints. */
  note(line: string): void;
  /** `text` in a style, when whoever reads the notes can see styles. */
  paint(style: Style, text: string): string;
  /** Whether there is somebody who could answer a question. */
  readonly isInteractive: boolean;
  ask(question: string): Promise<string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The terminal of this process. Honours NO_COLOR and FORCE_COLOR. */
export function processTerminal(environment: Environment): Terminal {
  const hasColours = wantsColours(environment, process.stdout.isTTY && process.stderr.isTTY);
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    paint: (style, text) => (hasColours ? styleText(style, text, { validateStream: false }) : text),
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    ask: askOnce,
  };
}

/**
 * Text from elsewhere, made harmless: control characters could move the cursor, retitle the window, or hide what is said.
 * Line breaks and tabs stay.
 */
export function sanitize(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function wantsColours(environment: Environment, isTty: boolean): boolean {
  if (environment['FORCE_COLOR'] !== undefined) return environment['FORCE_COLOR'] !== '0';
  return isTty && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

async function askOnce(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
