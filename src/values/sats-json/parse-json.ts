import { WireError } from '../../base/wire-error.js';

/*
 * JSON with exact integers: a whole number beyond 2^53 is a bigint. JSON.parse would round it. Depth and size are
 * bounded, and an error names its position.
 */

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | { [name: string]: JsonValue };

/** 512 levels: values nest 256 through references and at most as many inside one type. */
export const JSON_DEPTH_MAX = 512;

/** 32 Mi characters: as much as one message of the protocols may have. */
export const JSON_SIZE_MAX = 32 * 1024 * 1024;

/** 80 digits hold every 256-bit integer; BigInt takes ever longer for longer ones. */
const EXACT_DIGITS_MAX = 80;

export interface ParseJsonOptions {
  readonly sizeMax?: number;
}

/**
 * @example
 * parseJson('[18446744073709551615, 1]') // [18446744073709551615n, 1]
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  const sizeMax = options.sizeMax ?? JSON_SIZE_MAX;
  if (text.length > sizeMax) {
    throw new WireError(
      'BAD_LENGTH',
      `the JSON has ${text.length} characters, at most ${sizeMax} are taken`,
      {
        size: text.length,
        max: sizeMax,
      },
    );
  }
  return new JsonParser(text).parse();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LITERALS: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class JsonParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error('nothing more');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > JSON_DEPTH_MAX) {
      throw new WireError('TOO_DEEP', `the JSON is nested more than ${JSON_DEPTH_MAX} levels deep`, {
        position: this.#at,
      });
    }
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonValue {
    const object: { [name: string]: JsonValue } = {};
    this.#at++;
    if (this.#takes('}')) return object;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#error('a key in double quotes');
      const name = this.#string();
      this.#expect(':');
      const value = this.#value(depth + 1);
      if (name === '__proto__') setOwn(object, name, value);
      else object[name] = value;
    } while (this.#takes(','));
    this.#expect('}');
    return object;
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#takes(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#takes(','));
    this.#expect(']');
    return items;
  }

  #string(): string {
    const start = this.#at;
    let isPlain = true;
    let at = start + 1;
    for (; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at);
      if (unit === QUOTE) break;
      if (unit < 0x20) throw this.#errorAt(at, 'no control character in a string');
      if (unit !== BACKSLASH) continue;
      isPlain = false;
      at++;
    }
    if (at >= this.#text.length) throw this.#errorAt(start, 'the end of this string');
    this.#at = at + 1;
    return isPlain ? this.#text.slice(start + 1, at) : this.#unescape(start);
  }

  #unescape(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      throw this.#errorAt(start, 'a string with known escapes');
    }
  }

  #scalar(): JsonValue {
    const literal = LITERALS.find(([word]) => this.#text.startsWith(word, this.#at));
    if (literal !== undefined) {
      this.#at += literal[0].length;
      return literal[1];
    }
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error('a JSON value');
    const [digits, fraction, exponent] = match;
    this.#at += digits.length;
    const value = Number(digits);
    const isWhole = fraction === undefined && exponent === undefined;
    return isWhole && !Number.isSafeInteger(value) && digits.length <= EXACT_DIGITS_MAX
      ? BigInt(digits)
      : value;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  #takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw this.#error(`"${character}"`);
  }

  #error(expected: string): WireError {
    return this.#errorAt(this.#at, expected);
  }

  #errorAt(position: number, expected: string): WireError {
    const found =
      position >= this.#text.length ? 'the end' : JSON.stringify(this.#text.slice(position, position + 12));
    return new WireError(
      'BAD_VALUE',
      `not JSON: expected ${expected} at position ${position}, found ${found}`,
      {
        position,
      },
    );
  }
}

/** As JSON.parse does: an own property, never the prototype. */
function setOwn(object: object, name: string, value: JsonValue): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
