import type { Database } from '../engine/database.js';
import type { RecoveredDatabase } from '../engine/recover-database.js';
import type { DatabaseSchema } from '../engine/schema.js';
import type { Module } from '../module/definition/build-module.js';
import { loadProgram } from '../module/load.js';
import type { ModuleLog } from '../module/logs.js';
import type { Identity } from '../values/identity.js';
import type { DatabaseStore, StoredLog } from './database-store.js';
import { decodeStoredProgram, findChangedTables, type Program, type StoredProgram } from './program.js';

export interface RecoverOptions {
  /** Modules that the application brings along, by the name of their database. */
  readonly embedded: Readonly<Record<string, Module>>;
  readonly moduleLog: ModuleLog;
  /** Makes empty tables. */
  readonly open: (schema: DatabaseSchema) => Database;
}

/** A database as it was stored, and the program that is to go on with it. */
export interface Recovered extends StoredLog {
  readonly database: Database;
  readonly stored: StoredProgram;
  readonly program: Program;
  /** What recovery found, for people. */
  readonly notices: readonly string[];
}

/**
 * Reads a stored database back with the tables that its programs had; undefined when its creation never became durable. Throws when
 * the files are damaged, and when the application's own module does not go with what is stored.
 */
export async function recoverStored(
  store: DatabaseStore,
  identity: Identity,
  { embedded, moduleLog, open }: RecoverOptions,
): Promise<Recovered | undefined> {
  const load = (stored: StoredProgram): Promise<Module> => loadStored(stored, embedded, moduleLog);
  const recovered = await store.recover(identity, {
    build: async (bytes) => open((await load(decodeStoredProgram(bytes))).def.schema),
    follow: async (bytes, database) => {
      const stored = decodeStoredProgram(bytes);
      if (stored.schemaHash === database.schemaHash) return;
      database.replaceSchema((await load(stored)).def.schema);
    },
  });
  if (recovered === undefined) return undefined;
  const { database, disk, log, epoch } = recovered;
  const stored = decodeStoredProgram(recovered.program);
  const program = { module: await load(stored), text: stored.text, hash: stored.hash };
  return { database, disk, log, epoch, stored, program, notices: describeRecovery(recovered) };
}

async function loadStored(
  stored: StoredProgram,
  embedded: RecoverOptions['embedded'],
  log: ModuleLog,
): Promise<Module> {
  if (stored.text !== undefined) return loadProgram(stored.text, { log });
  const name = stored.names[0] ?? '';
  const module = embedded[name];
  if (module === undefined) {
    throw new Error(
      `the data directory holds a database \`${name}\` of a module that was not handed to createServer: add it to \`databases\``,
    );
  }
  const changed = findChangedTables(stored, module);
  if (changed?.length === 0) return module;
  const which = changed === undefined ? '' : ` (${changed.map((table) => `\`${table}\``).join(', ')})`;
  throw new Error(
    `the tables of database \`${name}\` changed since its data was stored${which}. Tables can be added; rows of tables that ` +
      `changed are not migrated in this version: keep those as they were, or use another data directory.`,
  );
}

function describeRecovery({ torn, damagedSnapshots }: RecoveredDatabase): string[] {
  const notices = damagedSnapshots.map((text) => `${text}; an older one was used`);
  if (torn === undefined) return notices;
  const { bytes, segment, at, reason } = torn;
  return [
    ...notices,
    `the last ${bytes} bytes of ${segment} were cut off at byte ${at} (${reason}): ` +
      `a crash interrupted them, and nobody had been told of what they held`,
  ];
}
