import { SourceMap } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProgramPositions } from './definition/build-module.js';
import type { LogPlace } from './logs.js';

/* Positions in a bundled program back to positions in the author's files, by the source map at its end. */

/** Where the map starts; the program runs without it, so that nobody else maps the positions first. */
export function withoutMap(program: string): string {
  const at = lastLineStart(program);
  return INLINE_MAP.test(program.slice(at)) ? program.slice(0, at) : program;
}

const INLINE_MAP =
  /\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([A-Za-z0-9+/=]+)\s*$/;

type Found = LogPlace & { readonly column: number };

/** More than any line has columns, so that line and column are one number. */
const COLUMNS_MAX = 2 ** 26;

export class SourcePositions implements ProgramPositions {
  readonly #file: string;
  readonly #map: SourceMap | undefined;
  readonly #position: RegExp;
  /** By position in the program: as many as it has calls that log or throw. */
  readonly #found = new Map<number, Found | undefined>();

  /** @param file where the program is loaded from, absolute; traces have it as a path or as a URL. */
  constructor(file: string, program: string) {
    this.#file = path.basename(file);
    this.#map = readMap(program);
    const forms = [pathToFileURL(file).href, file];
    this.#position = new RegExp(`(?:${forms.map(escapeRegExp).join('|')}):(\\d+):(\\d+)`, 'g');
  }

  /** The same stack trace with the author's files; what is not his stays. */
  mapStack(stack: string): string {
    return stack.replace(this.#position, (whole, line: string, column: string) => {
      const found = this.#find(Number(line), Number(column));
      return found === undefined ? whole : `${found.filename}:${found.line}:${found.column}`;
    });
  }

  /** The first place in the author's files that a stack trace names. */
  findPlace(stack: string): LogPlace | undefined {
    if (!stack.includes(this.#file)) return undefined;
    this.#position.lastIndex = 0;
    const match = this.#position.exec(stack);
    return match === null ? undefined : this.#find(Number(match[1]), Number(match[2]));
  }

  #find(line: number, column: number): Found | undefined {
    const key = line * COLUMNS_MAX + column;
    if (this.#found.has(key)) return this.#found.get(key);
    const found = this.#search(line, column);
    this.#found.set(key, found);
    return found;
  }

  #search(line: number, column: number): Found | undefined {
    const entry = this.#map?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry)) return undefined;
    return { filename: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}

function readMap(program: string): SourceMap | undefined {
  const encoded = INLINE_MAP.exec(program.slice(lastLineStart(program)))?.[1];
  if (encoded === undefined) return undefined;
  try {
    return new SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
  } catch {
    // Someone else's broken map costs only the mapping.
    return undefined;
  }
}

/** The map is the last line; searching a large program from its start would be slow. */
function lastLineStart(program: string): number {
  return program.lastIndexOf('\n', program.length - 2) + 1;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
