import { reducers, schema } from '../schema/remote-module.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import { closestWord } from '../../../../base/closest-word.js';
import { AsyncReducer } from './async-reducer.js';
import { AsyncTable } from './async-table.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';

/** What a generated package holds, by names. */
export interface AutogenPackage {
  readonly remoteModule: UntypedRemoteModule;
  /** By accessor of the remote module, which is the canonical name. */
  readonly tables: ReadonlyMap<string, AsyncTable>;
  /** By canonical name. */
  readonly reducers: ReadonlyMap<string, AsyncReducer>;
}

/** What packages are in use, and by whom: their callbacks can belong to one client only. */
const owners = new WeakMap<object, PackageOwner>();

/** A client, seen by those who want its package. */
export interface PackageOwner {
  isOpen(): boolean;
}

/** Takes the parts of `import * as moduleBindings`. Throws SpacetimeDBException when there are none. */
export function readAutogenPackage(exports: object): AutogenPackage {
  const tables = new Map<string, AsyncTable>();
  const reducerParts = new Map<string, AsyncReducer>();
  const take = (value: unknown, depth: number): void => {
    if (value instanceof AsyncTable) tables.set(value.tableName, value);
    else if (value instanceof AsyncReducer) reducerParts.set(value.reducerName, value);
    else if (depth < 1 && typeof value === 'object' && value !== null) {
      for (const part of Object.values(value)) take(part, depth + 1);
    }
  };
  if (typeof exports === 'object' && exports !== null) {
    for (const value of Object.values(exports)) take(value, 0);
  }
  if (tables.size === 0 && reducerParts.size === 0) {
    throw new SpacetimeDBException(
      'BAD_PACKAGE',
      'this is not a package that `chorale generate --sdk chorale-async` wrote: it holds neither tables nor reducers',
    );
  }
  return { remoteModule: remoteModuleOf(tables), tables, reducers: reducerParts };
}

/** Takes a package for a client. Throws SpacetimeDBException while another client that is open has it. */
export function claimPackage(bindings: AutogenPackage, owner: PackageOwner): void {
  if (partsOf(bindings).some((part) => owners.get(part)?.isOpen() === true)) throw inUse();
  for (const part of partsOf(bindings)) owners.set(part, owner);
}

/** Throws SpacetimeDBException when another client was made with the package since. */
export function checkClaim(bindings: AutogenPackage, owner: PackageOwner): void {
  if (partsOf(bindings).some((part) => owners.get(part) !== owner)) throw inUse();
}

function partsOf({ tables, reducers }: AutogenPackage): readonly object[] {
  return [...tables.values(), ...reducers.values()];
}

function inUse(): SpacetimeDBException {
  return new SpacetimeDBException(
    'BAD_PACKAGE',
    'another client uses this package: its tables and callbacks belong to one at a time, the one that was made last',
  );
}

/** Throws SpacetimeDBException when the package has no such reducer. */
export function findReducer({ reducers }: AutogenPackage, name: string): AsyncReducer {
  const reducer = reducers.get(name);
  if (reducer !== undefined) return reducer;
  const close = closestWord(name, reducers.keys());
  throw new SpacetimeDBException(
    'BAD_ARGUMENTS',
    `the package has no reducer \`${name}\`${close === undefined ? '' : ` (did you mean \`${close}\`?)`}`,
  );
}

function remoteModuleOf(tables: ReadonlyMap<string, AsyncTable>): UntypedRemoteModule {
  const schemas = Object.fromEntries([...tables].map(([name, { schema }]) => [name, schema]));
  return {
    versionInfo: { cliVersion: '2.8.3' },
    tables: schema(schemas).schemaType.tables,
    reducers: reducers().reducersType.reducers,
    procedures: [],
  };
}
