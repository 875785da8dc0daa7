import type { ModuleDef } from '../../../module/module-def.js';
import { banner, SDK_PACKAGES, selectReducers, selectTables, typesFile } from './generate-typescript.js';
import type { GenerateOptions, GeneratedReducer, GeneratedTable } from './generate-typescript.js';
import { NamedTypes } from './named-types.js';
import { checkDistinct, checkName, propertyName, quote, typeName, variableName } from './names.js';
import { capitalise, needName, shapeExpression, typeExpression } from './type-expression.js';
import type { TypeScope } from './type-expression.js';

/*
 * The package of a SpacetimeDBAsyncClient, in the layout of the Python generator:
 *
 * | file                 | holds                                                                    |
 * | index.ts             | everything: `import * as moduleBindings from './module_bindings/index.js'` |
 * | <table>.ts           | `User`: a table, and the type of its rows                                |
 * | <reducer>_reducer.ts | `setName(...)`, `registerOnSetName(...)`, `unregisterOnSetName(...)`     |
 * | types.ts             | named types, if a table or reducer has one                               |
 */

const OPTIONS: GenerateOptions = { sdk: 'chorale' };
const SOURCE = quote(SDK_PACKAGES.chorale);

/**
 * The files by their names, relative to the output folder. The same module gives the same text, byte for byte.
 * Throws CodegenError when a name cannot be written as code.
 *
 * @example
 * for (const [name, text] of generateAsyncPackage(def)) writeFileSync(join(folder, name), text);
 */
export function generateAsyncPackage(def: ModuleDef): ReadonlyMap<string, string> {
  const types = new NamedTypes(def, true);
  const scope = new ImportedTypes(types);
  const tables = selectTables(def, OPTIONS);
  const reducers = selectReducers(def, OPTIONS);
  const bodies = new Map<string, string>();
  for (const table of tables) bodies.set(`${table.def.name}.ts`, tableFile(table, scope));
  for (const reducer of reducers) bodies.set(`${reducer.def.name}_reducer.ts`, reducerFile(reducer, scope));
  checkFiles(tables, reducers);
  bodies.set('index.ts', indexFile(tables, reducers));
  if (scope.isUsed) bodies.set('types.ts', typesFile(types, OPTIONS));
  return new Map([...bodies].map(([name, body]) => [name, `${banner()}\n${body}`]));
}

/** Named types live in a file of their own: a table's name is often that of its row's type. */
class ImportedTypes implements TypeScope {
  readonly mayOmitOptions = true;
  readonly #types: NamedTypes;
  isUsed = false;

  constructor(types: NamedTypes) {
    this.#types = types;
  }

  reference(ref: number): string {
    const name = this.#types.nameOf(ref);
    if (name === undefined) return typeExpression(this.#types.typeAt(ref), this, `Type${ref}`);
    this.isUsed = true;
    return `__types.${name}`;
  }

  referenceType(ref: number): string {
    return `__Infer<typeof ${this.reference(ref)}>`;
  }
}

function tableFile({ def, accessor }: GeneratedTable, scope: ImportedTypes): string {
  const name = typeName([def.name]);
  checkDistinct(
    def.columns.map((column) => [propertyName(column.name, 'column'), column.name]),
    `columns of \`${def.name}\``,
  );
  const columns = def.columns.map((column, position) => {
    const property = propertyName(column.name, 'column');
    const expression = typeExpression(column.type, scope, capitalise(accessor) + capitalise(property));
    const wireName = property === column.name ? '' : `.name(${quote(checkName(column.name, 'column'))})`;
    return `  ${property}: ${expression}${keyOf(def, position)}${wireName},\n`;
  });
  const event = def.isEvent ? ', { event: true }' : '';
  return withImports(
    ['asyncTable as __asyncTable', 't as __t', 'type Infer as __Infer'],
    `const __row = __t.row({\n${columns.join('')}});

/** A row of \`${def.name}\`. */
export type ${name} = __Infer<typeof __row>;

/** The table \`${def.name}\`: the rows of the client that this package was given to. */
export const ${name} = __asyncTable(${quote(def.name)}, __row${event});
`,
  );
}

function keyOf(def: GeneratedTable['def'], position: number): string {
  if (def.primaryKey === position) return '.primaryKey()';
  const isUnique = def.uniqueConstraints.some(
    ({ columns }) => columns.length === 1 && columns[0] === position,
  );
  return isUnique ? '.unique()' : '';
}

function reducerFile({ def, accessor }: GeneratedReducer, scope: ImportedTypes): string {
  const what = `a parameter of \`${def.name}\``;
  const params = def.params.elements.map((element) => {
    const name = needName(element.name, what);
    return { property: propertyName(name, what), variable: variableName(name, what) };
  });
  const typed = params.map(
    ({ property, variable }) => `${variable}: __Infer<(typeof __params)[${quote(property)}]>`,
  );
  const called = params.map(({ variable }) => variable).join(', ');
  const name = capitalise(accessor);
  return withImports(
    [
      'asyncReducer as __asyncReducer',
      't as __t',
      'type Infer as __Infer',
      'type ReducerCallback as __ReducerCallback',
    ],
    `const __params = ${shapeExpression(def.params, scope, name)};

type __Arguments = [${typed.join(', ')}];

/** The reducer itself, for the client that this package is given to. */
export const __reducer = __asyncReducer<__Arguments>(${quote(def.name)}, __params);

/** Calls \`${def.name}\`, without waiting for what becomes of it: see \`registerOn${name}\`. */
export function ${variableName(def.name, 'reducer')}(${typed.join(', ')}): void {
  __reducer.call(${called});
}

/** \`callback\` hears of calls that changed rows which the client follows, and of its own calls that failed. */
export function registerOn${name}(callback: __ReducerCallback<__Arguments>): void {
  __reducer.register(callback);
}

export function unregisterOn${name}(callback: __ReducerCallback<__Arguments>): void {
  __reducer.unregister(callback);
}
`,
  );
}

function indexFile(tables: readonly GeneratedTable[], reducers: readonly GeneratedReducer[]): string {
  const lines = [
    ...tables.map(({ def }) => `export { ${typeName([def.name])} } from "./${def.name}.js";`),
    ...reducers.map(({ def, accessor }) => `export * as ${accessor}Reducer from "./${def.name}_reducer.js";`),
  ];
  return lines.length === 0 ? 'export {};\n' : `${lines.join('\n')}\n`;
}

/** Imports only what the text uses: `noUnusedLocals` of whoever compiles it must not complain. */
function withImports(imports: readonly string[], body: string): string {
  const words = new Set(body.match(/\w+/g));
  const used = imports.filter((text) => words.has(text.slice(text.lastIndexOf(' ') + 1)));
  const lines = [`import {\n${used.map((text) => `  ${text},\n`).join('')}} from ${SOURCE};`];
  if (body.includes('__types.')) lines.push('import * as __types from "./types.js";');
  return `${lines.join('\n')}\n\n${body}`;
}

function checkFiles(tables: readonly GeneratedTable[], reducers: readonly GeneratedReducer[]): void {
  checkDistinct(
    [
      ['index', 'the file index.ts'],
      ['types', 'the file types.ts'],
      ...tables.map(({ def }) => [def.name, `table ${def.name}`] as const),
      ...reducers.map(({ def }) => [`${def.name}_reducer`, `reducer ${def.name}`] as const),
    ],
    'files of',
  );
  checkDistinct(
    [
      ...tables.map(({ def }) => [typeName([def.name]), `table ${def.name}`] as const),
      ...reducers.map(({ def, accessor }) => [`${accessor}Reducer`, `reducer ${def.name}`] as const),
    ],
    'exports of',
  );
}
