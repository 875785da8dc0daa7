import type { RoomDefinition, RoomDefinitions } from '../../documents/room-definition.js';
import { schemaHash } from '../../engine/schema-hash.js';
import type { TableDef } from '../../engine/schema.js';
import type { Typespace } from '../../values/algebraic-type.js';
import { compileCodec, encodeToBytes } from '../../values/bsatn/codec.js';
import type { SchemaShape } from '../db-view.js';
import type { LogPlace } from '../logs.js';
import type { ModuleDef, ReducerDef } from '../module-def.js';
import { isModuleExport, moduleExport } from '../reducer-export.js';
import type { ReducerBody, ReducerEntry, RealmEntry, RpcEntry, SocketEntry } from '../reducer-export.js';
import type { ModuleProcedure, RealmHandlers } from '../rpc.js';
import type { SocketHandlers } from '../socket.js';
import type { TableHandle } from '../table.js';
import type { CaseConversionPolicy } from '../schema.js';
import { buildTable, scheduleColumn } from './build-table.js';
import { DefinitionError } from './definition-error.js';
import { canonicalName, NameSet } from './names.js';
import type { NamePolicy } from './names.js';
import { TypespaceBuilder } from './typespace-builder.js';

/** A reducer that can be run. */
export interface RunnableReducer {
  readonly def: ReducerDef;
  readonly body: ReducerBody;
}

/** A module in memory: what it is, and its functions. */
export interface Module {
  readonly def: ModuleDef;
  /** The tables as they were written, by accessor. */
  readonly tables: SchemaShape;
  /** By canonical name. */
  readonly reducers: ReadonlyMap<string, RunnableReducer>;
  /** By path. */
  readonly sockets: ReadonlyMap<string, SocketHandlers<SchemaShape>>;
  /** WAMP procedures by match and URI: `exact com.example.add2`. */
  readonly rpcs: ReadonlyMap<string, ModuleProcedure>;
  /** Who may do what in the realm of the database. */
  readonly realm: RealmHandlers<SchemaShape>;
  /** Shared documents by pattern. */
  readonly rooms: RoomDefinitions;
  /**
   * Equal for modules whose tables are equal, so that one can take over the other's database while it runs. Accessors and
   * property names count, since rows in memory are keyed by them; reducers do not.
   */
  readonly schemaHash: string;
  readonly positions: ProgramPositions;
}

/** Positions in a bundled program as positions in the author's files. */
export interface ProgramPositions {
  /** The same stack trace with the author's files. */
  mapStack(stack: string): string;
  /** The first place in the author's files that a stack trace names. */
  findPlace(stack: string): LogPlace | undefined;
}

/** For modules that were not bundled: their stack traces are right as they are. */
const AS_THEY_ARE: ProgramPositions = { mapStack: (stack) => stack, findPlace: () => undefined };

export interface SchemaParts {
  readonly tables: SchemaShape;
  readonly settings: { readonly CASE_CONVERSION_POLICY?: CaseConversionPolicy };
}

/** Builds a module from its schema and its other exports, by name. */
export function buildModule(schema: SchemaParts, exports: Readonly<Record<string, unknown>>): Module {
  const policy: NamePolicy = schema.settings.CASE_CONVERSION_POLICY?.tag === 'None' ? 'none' : 'snakeCase';
  const types = new TypespaceBuilder(policy);
  const { entries, sockets, rpcs, realm, rooms } = collectExports(schema, exports);
  const tables = buildTables(schema.tables, entries, policy, types);
  const scheduled = new Set(tables.flatMap((def) => def.schedule?.functionName ?? []));
  const reducers = buildReducers(entries, scheduled, policy, types);
  types.checkFinite();
  checkDefaults(tables, { types: types.types });
  const def: ModuleDef = {
    schema: { typespace: { types: types.types }, tables },
    namedTypes: types.namedTypes,
    reducers: reducers.map((reducer) => reducer.def),
    caseConversion: policy,
  };
  return {
    def,
    tables: schema.tables,
    rooms,
    reducers: new Map(reducers.map((reducer) => [reducer.def.name, reducer])),
    sockets,
    rpcs,
    realm,
    schemaHash: schemaHash(def.schema),
    positions: AS_THEY_ARE,
  };
}

/** A default that is not a value of its column would be noticed only when old rows are read. */
function checkDefaults(tables: readonly TableDef[], typespace: Typespace): void {
  for (const table of tables) {
    for (const { property, type, defaultValue } of table.columns) {
      if (defaultValue === undefined) continue;
      try {
        encodeToBytes(compileCodec(type, typespace), defaultValue);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DefinitionError(
          'BAD_COLUMN',
          `column \`${property}\` of table \`${table.sourceName}\`: default: ${reason}`,
        );
      }
    }
  }
}

type Entries = ReadonlyMap<string, ReducerEntry>;

interface Collected {
  readonly entries: Entries;
  readonly sockets: ReadonlyMap<string, SocketHandlers<SchemaShape>>;
  readonly rpcs: ReadonlyMap<string, ModuleProcedure>;
  readonly realm: RealmHandlers<SchemaShape>;
  readonly rooms: RoomDefinitions;
}

/** The reducers by the name of their export, the sockets by their path, rooms by their pattern; groups are opened. */
function collectExports(schema: object, exports: Readonly<Record<string, unknown>>): Collected {
  const sockets = new Map<string, SocketHandlers<SchemaShape>>();
  const rpcs = new Map<string, ModuleProcedure>();
  const realms: RealmEntry[] = [];
  const entries = new Map<string, ReducerEntry>();
  const rooms: Record<string, RoomDefinition> = {};
  const names = new Map<ReducerEntry, string>();
  const add = (exportName: string, value: unknown): void => {
    // The schema may be exported under its own name as well.
    if (value === schema) return;
    if (!isModuleExport(value)) throw notAnExport(exportName, value);
    const entry = value[moduleExport];
    if (entry.kind === 'group') {
      for (const [name, member] of Object.entries(entry.members)) add(name, member);
      return;
    }
    if (entry.kind === 'socket') return addSocket(sockets, schema, entry, exportName);
    if (entry.kind === 'rpc') return addRpc(rpcs, schema, entry, exportName);
    if (entry.kind === 'realm') return addRealm(realms, schema, entry, exportName);
    if (entry.kind === 'room') {
      rooms[entry.pattern] = entry.definition;
      return;
    }
    checkEntry(schema, entry, exportName, names.get(entry));
    if (entries.has(exportName)) {
      throw new DefinitionError('DUPLICATE_NAME', `two reducers are exported as \`${exportName}\``);
    }
    names.set(entry, exportName);
    entries.set(exportName, entry);
  };
  for (const [name, value] of Object.entries(exports)) if (name !== 'default') add(name, value);
  return { entries, sockets, rpcs, realm: realms[0]?.handlers ?? {}, rooms };
}

function addSocket(
  sockets: Map<string, SocketHandlers<SchemaShape>>,
  schema: object,
  entry: SocketEntry,
  exportName: string,
): void {
  if (entry.schema !== schema) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `socket \`${exportName}\` belongs to another schema than the default export`,
    );
  }
  if (sockets.has(entry.path)) {
    throw new DefinitionError('DUPLICATE_NAME', `two sockets have the path \`${entry.path}\``);
  }
  sockets.set(entry.path, entry.handlers);
}

function addRpc(
  rpcs: Map<string, ModuleProcedure>,
  schema: object,
  entry: RpcEntry,
  exportName: string,
): void {
  if (entry.schema !== schema) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `procedure \`${exportName}\` belongs to another schema than the default export`,
    );
  }
  const { uri, match = 'exact' } = entry.procedure;
  const key = `${match} ${uri}`;
  if (rpcs.has(key)) throw new DefinitionError('DUPLICATE_NAME', `two procedures have the URI \`${uri}\``);
  rpcs.set(key, entry.procedure);
}

function addRealm(realms: RealmEntry[], schema: object, entry: RealmEntry, exportName: string): void {
  if (entry.schema !== schema) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `realm \`${exportName}\` belongs to another schema than the default export`,
    );
  }
  if (realms.length > 0) {
    throw new DefinitionError('DUPLICATE_NAME', 'a database has one realm, and this is the second one');
  }
  realms.push(entry);
}

function notAnExport(name: string, value: unknown): DefinitionError {
  const what = value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return new DefinitionError(
    'BAD_EXPORT',
    `export \`${name}\` is ${what}, not a reducer: the module's file exports only what was made with the schema's methods; move it to another file or do not export it`,
  );
}

function checkEntry(schema: object, entry: ReducerEntry, name: string, earlier: string | undefined): void {
  if (entry.schema !== schema) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `reducer \`${name}\` belongs to another schema than the default export`,
    );
  }
  if (earlier !== undefined) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `the same reducer is exported twice, as \`${earlier}\` and \`${name}\``,
    );
  }
}

function buildTables(
  handles: SchemaShape,
  entries: Entries,
  policy: NamePolicy,
  types: TypespaceBuilder,
): TableDef[] {
  const names = new NameSet('tables');
  const built = Object.entries(handles).map(([accessor, handle]) => {
    const def = buildTable(accessor, handle, policy, types);
    names.add(def.name, accessor);
    // SQL takes both names, so that of one table must not be the accessor of another.
    if (def.sourceName !== def.name) names.add(def.sourceName, accessor);
    return { handle, def };
  });
  return built.map(({ handle, def }) => withSchedule(def, handle, entries));
}

function withSchedule(def: TableDef, handle: TableHandle, entries: Entries): TableDef {
  const functionName = scheduledFunction(def, handle, entries);
  if (functionName === undefined) return def;
  return { ...def, schedule: { name: `${def.name}_sched`, column: scheduleColumn(def), functionName } };
}

/** The reducer that a table names with `scheduled`, or that names the table with `onSchedule`. */
function scheduledFunction(def: TableDef, handle: TableHandle, entries: Entries): string | undefined {
  const target = handle.options.scheduled?.();
  const found = [...entries].filter(
    ([, entry]) => entry.onSchedule === handle || (target !== undefined && target[moduleExport] === entry),
  );
  if (found.length > 1) {
    const names = found.map(([name]) => `\`${name}\``).join(' and ');
    throw new DefinitionError(
      'BAD_SCHEDULE',
      `table \`${def.sourceName}\` is scheduled for ${names}; keep one`,
    );
  }
  if (target !== undefined && found.length === 0) {
    throw new DefinitionError(
      'BAD_SCHEDULE',
      `table \`${def.sourceName}\` is scheduled for a reducer that is not exported; export it from the module's file`,
    );
  }
  return found[0]?.[0];
}

function buildReducers(
  entries: Entries,
  scheduled: ReadonlySet<string>,
  policy: NamePolicy,
  types: TypespaceBuilder,
): RunnableReducer[] {
  const names = new NameSet('reducers');
  const lifecycles = new Map<string, string>();
  return [...entries].map(([sourceName, entry]) => {
    const what = `reducer \`${sourceName}\``;
    const name = canonicalName(policy, sourceName, entry.name, what);
    names.add(name, sourceName);
    if (entry.lifecycle !== undefined) checkLifecycle(lifecycles, entry.lifecycle, sourceName);
    const fields = Object.entries(entry.params).map(([property, column]) => ({
      property,
      name: column.settings.name,
      node: column.node,
    }));
    const def: ReducerDef = {
      name,
      sourceName,
      params: types.product(fields, what),
      lifecycle: entry.lifecycle,
      isPrivate: entry.lifecycle !== undefined || scheduled.has(sourceName),
    };
    return { def, body: entry.body };
  });
}

function checkLifecycle(seen: Map<string, string>, lifecycle: string, sourceName: string): void {
  const other = seen.get(lifecycle);
  if (other !== undefined) {
    throw new DefinitionError(
      'BAD_EXPORT',
      `\`${other}\` and \`${sourceName}\` are both ${lifecycle} reducers; a module has at most one`,
    );
  }
  seen.set(lifecycle, sourceName);
}
