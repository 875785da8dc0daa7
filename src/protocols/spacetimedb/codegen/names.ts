import { toCamelCase, toPascalCase } from '../../../values/case-conversion.js';

/* Names that become code. A schema may come from any server, so nothing is written that was not looked at here. */

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Words that cannot name a type or a variable of a module. */
const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof var void while with yield any bigint boolean never ' +
    'number object string symbol undefined unknown'
  ).split(' '),
);

/** A name that cannot be generated, and why. */
export class CodegenError extends Error {
  override readonly name = 'CodegenError';
}

/** A table, reducer, column or index must be an identifier: anything else cannot be a file or a property. */
export function checkName(name: string, what: string): string {
  if (!IDENTIFIER.test(name) || name === '__proto__') {
    throw new CodegenError(`${what} ${JSON.stringify(name)} cannot be generated: it is not an identifier`);
  }
  return name;
}

/** The property for a canonical name: `sent_at` -> `sentAt`. */
export function propertyName(canonical: string, what: string): string {
  return checkName(toCamelCase(checkName(canonical, what)), what);
}

/** The name of a type: `chat_room` -> `ChatRoom`, never a reserved word. */
export function typeName(parts: readonly string[]): string {
  const name = parts.map((part) => toPascalCase(checkName(part, 'type'))).join('');
  return RESERVED.has(name) ? `${name}_` : checkName(name, 'type');
}

/** The name of a variable or function for a canonical name: a property, never a reserved word. */
export function variableName(canonical: string, what: string): string {
  const name = propertyName(canonical, what);
  return RESERVED.has(name) ? `${name}_` : name;
}

/** The tag of an enum's variant. */
export function variantTag(canonical: string): string {
  return checkName(toPascalCase(checkName(canonical, 'variant')), 'variant');
}

/** A text as a TypeScript literal. */
export function quote(text: string): string {
  // U+2028 and U+2029 end lines in old parsers; JSON leaves them as they are.
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** Throws when two things would get the same name, naming both. */
export function checkDistinct(
  names: readonly (readonly [generated: string, source: string])[],
  what: string,
): void {
  const seen = new Map<string, string>();
  for (const [generated, source] of names) {
    // File systems that ignore case would put two files into one.
    const key = generated.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new CodegenError(
        `${what} \`${other}\` and \`${source}\` would both be generated as \`${generated}\``,
      );
    }
    seen.set(key, source);
  }
}
