import { CodegenError } from './names.js';

/* Names that become Python. A schema may come from any server, so nothing is written that was not looked at here. */

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Words of the language, and what generated code uses of its library by a bare name. */
const RESERVED = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield ' +
    'bool bytes cls data dataclass float int iter next object reducer_name row self str tuple'
  ).split(' '),
);

/** A table, reducer, column or type must be an identifier: anything else cannot be a file or a name. */
export function checkPythonName(name: string, what: string): string {
  if (!IDENTIFIER.test(name)) {
    throw new CodegenError(`${what} ${JSON.stringify(name)} cannot be generated: it is not an identifier`);
  }
  return name;
}

/** A name for a variable, a function or a field: words of the language get an underscore. */
export function pythonName(name: string, what: string): string {
  return RESERVED.has(checkPythonName(name, what)) ? `${name}_` : name;
}

/** The file of a table: users import it by name, so it must not be a word of the language. */
export function pythonModule(name: string, what: string): string {
  if (RESERVED.has(checkPythonName(name, what))) {
    throw new CodegenError(`${what} \`${name}\` cannot be generated: it is a word of Python`);
  }
  return name;
}

/** A text as a Python literal. */
export function quotePython(text: string): string {
  // JSON's escapes are Python's, surrogate pairs excepted, which JSON leaves as they are.
  return JSON.stringify(text);
}
