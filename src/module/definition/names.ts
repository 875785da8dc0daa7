import { toCamelCase, toPascalCase, toSnakeCase } from '../../values/case-conversion.js';
import { DefinitionError } from './definition-error.js';

/*
 * Names become code (row constructors), SQL and file names of generated clients, so only plain identifiers pass.
 *
 * | what                          | SnakeCase    | None       |
 * | table, column, field, reducer | snake_case   | as written |
 * | enum variant                  | camelCase    | as written |
 * | type                          | PascalCase   | as written |
 */

export type NamePolicy = 'none' | 'snakeCase';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Gives the name back, or says why it cannot be one. @param what e.g. "column of table `user`". */
export function checkName(name: string, what: string): string {
  if (!IDENTIFIER.test(name)) {
    throw new DefinitionError(
      'BAD_NAME',
      `${what}: ${JSON.stringify(name.slice(0, 80))} is not a name; use letters, digits and underscores, not starting with a digit`,
    );
  }
  if (name === '__proto__') {
    throw new DefinitionError('BAD_NAME', `${what}: \`__proto__\` is JavaScript's own; choose another name`);
  }
  return name;
}

/** The canonical name of a table, column, field or function; `explicit` is what the author asked for. */
export function canonicalName(
  policy: NamePolicy,
  written: string,
  explicit: string | undefined,
  what: string,
): string {
  checkName(written, what);
  if (explicit !== undefined) return checkName(explicit, what);
  return policy === 'snakeCase' ? converted(toSnakeCase(written), written) : written;
}

/** `_` and `_1` lose what makes them names in conversion: they stay as written. */
function converted(name: string, written: string): string {
  return IDENTIFIER.test(name) ? name : written;
}

export function canonicalTypeName(policy: NamePolicy, written: string): string {
  const name = policy === 'snakeCase' ? converted(toPascalCase(written), written) : written;
  return checkName(name, `type \`${written}\``);
}

export function canonicalVariantName(policy: NamePolicy, written: string): string {
  return policy === 'snakeCase' ? converted(toCamelCase(written), written) : written;
}

/** Sees to it that names stay different after conversion. */
export class NameSet {
  readonly #what: string;
  readonly #written = new Map<string, string>();

  /** @param what plural, for the message: "tables", "columns of table `user`". */
  constructor(what: string) {
    this.#what = what;
  }

  add(canonical: string, written: string): void {
    const other = this.#written.get(canonical);
    if (other !== undefined) {
      throw new DefinitionError(
        'DUPLICATE_NAME',
        `${this.#what}: \`${other}\` and \`${written}\` are both \`${canonical}\` in the database; rename one or give it another name`,
      );
    }
    this.#written.set(canonical, written);
  }
}
