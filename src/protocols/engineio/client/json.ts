/** An alternative to JSON. Process-wide, as in python-engineio: set once, used by every client. */
export interface JsonModule {
  dumps(value: unknown): string;
  loads(text: string): unknown;
}

let current: JsonModule = {
  dumps: (value) => JSON.stringify(value),
  loads: (text) => JSON.parse(text) as unknown,
};

export function setJsonModule(json: JsonModule): void {
  current = json;
}

export function dumpJson(value: unknown): string {
  return current.dumps(value);
}

/**
 * What text messages become:
 *
 *   none     the text
 *   json     the value, if the text is an object or an array in JSON
 *   python   what python-engineio's clients are given: any JSON that does not begin with a digit, `NaN` and `Infinity` included
 */
export type DecodeMode = 'none' | 'json' | 'python';

export function decodeMessage(text: string, mode: DecodeMode): unknown {
  if (mode === 'none' || text === '') return text;
  if (mode === 'json' && text[0] !== '{' && text[0] !== '[') return text;
  if (mode === 'python') {
    if (/^\d/.test(text)) return text;
    const named = PYTHON_NUMBERS.get(text);
    if (named !== undefined) return named;
    // python-engineio leaves text with such numbers as it is: they take long to read.
    if (/\d{101}/.test(text)) return text;
  }
  try {
    return current.loads(text);
  } catch {
    return text;
  }
}

const PYTHON_NUMBERS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
