import type { TableDef } from '../../../engine/schema.js';
import { indexAccessor, SDK_PACKAGES } from './generate-typescript.js';
import type { GenerateOptions, GeneratedReducer, GeneratedTable } from './generate-typescript.js';
import { propertyName, quote } from './names.js';
import { capitalise } from './type-expression.js';

/* The file `index.ts` of the bindings: everything joined into one remote module, and the classes an application uses. */

/** What the npm client (>= 1.4.0 is checked at connect) and ours are told of who generated. */
const CLI_VERSION = '2.8.3';

export function indexFile(
  tables: readonly GeneratedTable[],
  reducers: readonly GeneratedReducer[],
  options: GenerateOptions,
): string {
  return [
    importsOf(SDK_PACKAGES[options.sdk]),
    reducers
      .map(({ def, accessor }) => `import ${capitalise(accessor)}Reducer from "./${def.name}_reducer.js";`)
      .join('\n'),
    tables
      .map(({ def, accessor }) => `import ${capitalise(accessor)}Row from "./${def.name}_table.js";`)
      .join('\n'),
    'export * as types from "./types.js";',
    `const tablesSchema = __schema({\n${tables.map((table) => tableEntry(table, options)).join('')}});`,
    `const reducersSchema = __reducers(\n${reducers
      .map(({ def, accessor }) => `  __reducerSchema(${quote(def.name)}, ${capitalise(accessor)}Reducer),\n`)
      .join('')});`,
    'const proceduresSchema = __procedures();',
    CLASSES,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function tableEntry({ def, accessor, indexes }: GeneratedTable, options: GenerateOptions): string {
  const columnsOf = (columns: readonly number[]): string =>
    `[${columns.map((column) => quote(propertyName(def.columns[column]!.name, 'column'))).join(', ')}]`;
  const indexLines = indexes.map(
    (index) =>
      `      { accessor: ${quote(indexAccessor(def, index))}, name: ${quote(index.name)}, algorithm: ${quote(
        index.algorithm,
      )}, columns: ${columnsOf(index.columns)} },\n`,
  );
  const constraintLines = constraintsOf(def, options).map(
    ({ name, columns }) =>
      `      { name: ${quote(name)}, constraint: "unique", columns: ${columnsOf(columns)} },\n`,
  );
  return (
    `  ${accessor}: __table({\n    name: ${quote(def.name)},\n` +
    `    indexes: [\n${indexLines.join('')}    ],\n` +
    `    constraints: [\n${constraintLines.join('')}    ],\n` +
    `${def.isEvent ? '    event: true,\n' : ''}  }, ${capitalise(accessor)}Row),\n`
  );
}

/** The npm client's types know constraints of one column only. */
function constraintsOf(def: TableDef, { sdk }: GenerateOptions): TableDef['uniqueConstraints'] {
  return def.uniqueConstraints.filter(({ columns }) => sdk === 'chorale' || columns.length === 1);
}

function importsOf(source: string): string {
  return `import {
  DbConnectionBuilder as __DbConnectionBuilder,
  DbConnectionImpl as __DbConnectionImpl,
  SubscriptionBuilderImpl as __SubscriptionBuilderImpl,
  convertToAccessorMap as __convertToAccessorMap,
  makeQueryBuilder as __makeQueryBuilder,
  procedures as __procedures,
  reducerSchema as __reducerSchema,
  reducers as __reducers,
  schema as __schema,
  table as __table,
  type DbConnectionConfig as __DbConnectionConfig,
  type ErrorContextInterface as __ErrorContextInterface,
  type EventContextInterface as __EventContextInterface,
  type QueryBuilder as __QueryBuilder,
  type ReducerEventContextInterface as __ReducerEventContextInterface,
  type RemoteModule as __RemoteModule,
  type SubscriptionEventContextInterface as __SubscriptionEventContextInterface,
  type SubscriptionHandleImpl as __SubscriptionHandleImpl,
} from "${source}";`;
}

const CLASSES = `/** What the database offers, as the client library needs it. */
const REMOTE_MODULE = {
  versionInfo: { cliVersion: "${CLI_VERSION}" as const },
  tables: tablesSchema.schemaType.tables,
  reducers: reducersSchema.reducersType.reducers,
  ...proceduresSchema,
} satisfies __RemoteModule<
  typeof tablesSchema.schemaType,
  typeof reducersSchema.reducersType,
  typeof proceduresSchema
>;

/** Typed queries, one per table, for \`subscribe\`. */
export const tables: __QueryBuilder<typeof tablesSchema.schemaType> = __makeQueryBuilder(tablesSchema.schemaType);

/** The reducers' definitions. */
export const reducers = __convertToAccessorMap(reducersSchema.reducersType.reducers);

export type EventContext = __EventContextInterface<typeof REMOTE_MODULE>;
export type ReducerEventContext = __ReducerEventContextInterface<typeof REMOTE_MODULE>;
export type SubscriptionEventContext = __SubscriptionEventContextInterface<typeof REMOTE_MODULE>;
export type ErrorContext = __ErrorContextInterface<typeof REMOTE_MODULE>;
export type SubscriptionHandle = __SubscriptionHandleImpl<typeof REMOTE_MODULE>;

/** Asks for rows. */
export class SubscriptionBuilder extends __SubscriptionBuilderImpl<typeof REMOTE_MODULE> {}

/** Collects what a connection needs. */
export class DbConnectionBuilder extends __DbConnectionBuilder<DbConnection> {}

/** A connection to this database. */
export class DbConnection extends __DbConnectionImpl<typeof REMOTE_MODULE> {
  /** Starts a new connection: \`DbConnection.builder().withUri(...).withDatabaseName(...).build()\`. */
  static builder = (): DbConnectionBuilder =>
    new DbConnectionBuilder(REMOTE_MODULE, (config: __DbConnectionConfig<typeof REMOTE_MODULE>) => new DbConnection(config));

  override subscriptionBuilder = (): SubscriptionBuilder => new SubscriptionBuilder(this);
}
`;
