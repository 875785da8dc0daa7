import { systemClock } from '../base/clock.js';
import { encodeHex } from '../base/hex.js';
import type { TableChange, TransactionRecord, TxOffset } from '../engine/log/commit-log.js';
import { SectionKind } from '../engine/log/record-codec.js';
import { decodeScheduleState } from '../engine/schedule/schedule-state.js';
import { loadProgram } from '../module/load.js';
import { ModuleLog } from '../module/logs.js';
import { decodeStoredProgram, readRowTypes, type RowTypes, type StoredProgram } from '../server/program.js';
import { compileCodec, decodeFromBytes } from '../values/bsatn/codec.js';
import { encodeJson } from '../values/sats-json/encode-json.js';

/** A transaction for people and for JSON. */
export interface ShownRecord {
  readonly offset: TxOffset;
  readonly time: string;
  readonly function: string;
  readonly caller: string | undefined;
  readonly connection: string | undefined;
  readonly changes: readonly ShownChange[];
  readonly sections: readonly string[];
}

interface ShownChange {
  readonly table: string;
  /** Values when the module is known, hexadecimal BSATN otherwise. */
  readonly deletes: readonly unknown[];
  readonly inserts: readonly unknown[];
}

const SECTION_NAMES = new Map<number, string>(
  Object.entries(SectionKind).map(([name, kind]) => [kind, name]),
);

const NO_TYPES: RowTypes = { typespace: { types: [] }, tables: [] };

/** Shows records of one log, in order. It learns the tables from the programs it comes by. */
export class RecordView {
  readonly #rowReaders = new Map<string, (bytes: Uint8Array) => unknown>();

  /** To be called for every record, shown or not. */
  async note({ sections }: Pick<TransactionRecord, 'sections'>): Promise<void> {
    const program = sections?.find(({ kind }) => kind === SectionKind.program);
    if (program !== undefined) await this.learn(decodeStoredProgram(program.bytes.subarray(1)));
  }

  /** The program that runs from here on. */
  async learn(program: StoredProgram): Promise<void> {
    this.#rowReaders.clear();
    const { tables, typespace } = await findRowTypes(program);
    for (const { name, rowType } of tables) {
      const codec = compileCodec(rowType, typespace);
      this.#rowReaders.set(
        name,
        (bytes) =>
          JSON.parse(
            encodeJson(rowType, decodeFromBytes(codec, bytes), { form: 'typed', typespace }),
          ) as unknown,
      );
    }
  }

  describe(record: TransactionRecord, offset: TxOffset): ShownRecord {
    return {
      offset,
      time: new Date(record.timestampMicros / 1000).toISOString(),
      function: record.functionName,
      caller: record.caller?.toHexString(),
      connection: record.connectionId?.toHexString(),
      changes: record.changes.map((change) => this.#describeChange(change)),
      sections: (record.sections ?? []).map(describeSection),
    };
  }

  *lines({ offset, time, function: name, caller, changes, sections }: ShownRecord): Iterable<string> {
    yield `${offset} ${time} ${name === '' ? '-' : name} ${caller?.slice(0, 16) ?? '-'}`;
    for (const { table, deletes, inserts } of changes) {
      for (const row of deletes) yield `  - ${table} ${textOf(row)}`;
      for (const row of inserts) yield `  + ${table} ${textOf(row)}`;
    }
    for (const section of sections) yield `  * ${section}`;
  }

  #describeChange({ table, deletes, inserts }: TableChange): ShownChange {
    const read = this.#rowReaders.get(table) ?? encodeHex;
    return { table, deletes: deletes.map(read), inserts: inserts.map(read) };
  }
}

/** Of a text, by running it; of a module that the application brought along, as it was stored. */
async function findRowTypes({ text, tables }: StoredProgram): Promise<RowTypes> {
  if (text === undefined) return tables === undefined ? NO_TYPES : readRowTypes(tables);
  const log = new ModuleLog({ clock: systemClock });
  return loadProgram(text, { log }).then(
    (module) => module.def.schema,
    () => NO_TYPES,
  );
}

function textOf(row: unknown): string {
  return typeof row === 'string' ? row : JSON.stringify(row);
}

function describeSection({ kind, bytes }: { readonly kind: number; readonly bytes: Uint8Array }): string {
  const name = SECTION_NAMES.get(kind) ?? `section ${kind}`;
  if (kind !== SectionKind.schedule) return `${name}, ${bytes.length} bytes`;
  const { table, key, state } = decodeScheduleState(bytes);
  const due = new Date(state.dueMicros / 1000).toISOString();
  if (state.attempts === 0) return `schedule ${table} ${key}: due ${due}`;
  const then = state.isParked ? 'waits for inspection' : `tried again ${due}`;
  return `schedule ${table} ${key}: ${state.attempts} attempts failed (${state.lastError}), ${then}`;
}
