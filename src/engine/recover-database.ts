import type { ByteReader } from '../base/byte-reader.js';
import { ByteWriter } from '../base/byte-writer.js';
import type { Database } from './database.js';
import type { LogSection, TransactionRecord, TxOffset } from './log/commit-log.js';
import type { Disk } from './log/disk.js';
import type { FileLog, LogSizes } from './log/file-log.js';
import { LogError } from './log/log-error.js';
import { decodeRecord, hasOwnOrigin, SectionKind, skipToSections } from './log/record-codec.js';
import { recoverLog, type RecoveredLog } from './log/recovery.js';
import type { Table } from './tables/table.js';
import { listSnapshots, readSnapshot, removeUnfinishedSnapshots } from './log/snapshot-file.js';

// Kind and length.
const SECTION_HEADER_BYTES = 5;

export interface RecoverDatabaseOptions extends LogSizes {
  readonly databaseKey: string;
  /** Makes empty tables for a program section's bytes (without their first byte). */
  readonly build: (program: Uint8Array) => Promise<Database>;
  /** Told of each program that goes on with the tables there are. It may have added some: then `database` takes its schema. */
  readonly follow?: (program: Uint8Array, database: Database) => Promise<void>;
}

export interface RecoveredDatabase {
  readonly database: Database;
  /** The newest program's bytes. */
  readonly program: Uint8Array;
  readonly log: FileLog;
  readonly epoch: number;
  readonly torn: RecoveredLog['torn'];
  /** The snapshot that recovery began with, 0 for none, and those that were damaged and passed over. */
  readonly snapshotOffset: TxOffset;
  readonly damagedSnapshots: readonly string[];
  readonly replayedCount: number;
}

/**
 * Builds a database from its newest good snapshot and the log behind it. Throws LogError when the log is damaged where no crash
 * can have damaged it, and undefined comes back from an empty folder.
 */
export async function recoverDatabase(
  disk: Disk,
  options: RecoverDatabaseOptions,
): Promise<RecoveredDatabase | undefined> {
  await removeUnfinishedSnapshots(disk);
  const { replay, snapshotOffset, damagedSnapshots } = await readNewestSnapshot(disk, options);
  let replayedCount = 0;
  const recovered = await recoverLog(disk, {
    ...options,
    snapshotOffset,
    applyBytes: (reader, end, offset) => {
      if (offset <= snapshotOffset) return replay.skipToSections(reader);
      replayedCount += 1;
      return replay.applyBytes(reader, end, offset);
    },
  });
  const { log, epoch, torn } = recovered;
  const { database, program } = replay;
  if (database === undefined || program === undefined) {
    await log.close();
    return undefined;
  }
  database.log = log;
  return {
    database,
    program,
    log,
    epoch,
    torn,
    snapshotOffset,
    damagedSnapshots,
    replayedCount,
  };
}

async function readNewestSnapshot(
  disk: Disk,
  options: RecoverDatabaseOptions,
): Promise<{ replay: Replay; snapshotOffset: TxOffset; damagedSnapshots: readonly string[] }> {
  const damagedSnapshots: string[] = [];
  for (const offset of await listSnapshots(disk)) {
    const replay = new Replay(options);
    try {
      await readSnapshot(disk, offset, options.databaseKey, {
        section: (section) => replay.applySection(section),
        rows: (table, rows) => replay.restoreRows(table, rows),
      });
      return { replay, snapshotOffset: offset, damagedSnapshots };
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'CORRUPT') throw error;
      damagedSnapshots.push(error.message);
    }
  }
  return { replay: new Replay(options), snapshotOffset: 0, damagedSnapshots };
}

/** The state that snapshot and log lead to. */
class Replay {
  database: Database | undefined;
  program: Uint8Array | undefined;
  readonly #options: RecoverDatabaseOptions;
  /** The table of the last change, and its name with the length before it. */
  #lastTable: Table | undefined;
  #lastName = new Uint8Array();
  /** A record without sections: the last that said itself who its caller is. */
  readonly #origin = new ByteWriter();

  constructor(options: RecoverDatabaseOptions) {
    this.#options = options;
  }

  /** A record as it stands in the log. Most hold nothing but rows of ordinary tables, and then nothing is made but those. */
  applyBytes(reader: ByteReader, end: number, offset: TxOffset): void | Promise<void> {
    const start = reader.offset;
    this.skipToSections(reader);
    const sectionsAt = reader.offset;
    if (!this.#hasOnlyRows(reader, end)) {
      const before = decodeRecord(this.#origin.bytes.subarray(0, this.#origin.length));
      return this.apply(decodeRecord(reader.bytes.subarray(start, end), before), offset);
    }
    reader.offset = sectionsAt;
    while (reader.offset < end) {
      reader.offset += SECTION_HEADER_BYTES;
      this.#tableAt(reader)!.replayStored(reader);
    }
  }

  /** Takes note of whose record it is. */
  skipToSections(reader: ByteReader): void {
    const start = reader.offset;
    skipToSections(reader);
    if (!hasOwnOrigin(reader.bytes, start)) return;
    // Copied: most are never decoded, and the record's own bytes do not last.
    this.#origin.reset();
    this.#origin.writeRaw(reader.bytes.subarray(start, reader.offset));
  }

  #hasOnlyRows(reader: ByteReader, end: number): boolean {
    while (reader.offset < end) {
      const kind = reader.readU8();
      const size = reader.readU32();
      const next = reader.offset + size;
      if (kind !== SectionKind.rows) return false;
      const def = this.#tableAt(reader)?.def;
      if (def === undefined || def.isEvent || def.schedule !== undefined) return false;
      reader.offset = next;
    }
    return true;
  }

  /** The table whose name stands there; the reader is behind it afterwards. Mostly the same one again. */
  #tableAt(reader: ByteReader): Table | undefined {
    const at = reader.offset;
    const { bytes } = reader;
    const name = this.#lastName;
    if (this.#lastTable !== undefined && startsWith(bytes, at, name)) {
      reader.offset = at + name.length;
      return this.#lastTable;
    }
    const table = this.database?.findTable(reader.readVarString());
    this.#lastTable = table;
    this.#lastName = bytes.slice(at, reader.offset);
    return table;
  }

  apply(record: TransactionRecord, offset: TxOffset): void | Promise<void> {
    const program = record.sections?.find(({ kind }) => kind === SectionKind.program);
    if (program !== undefined) return this.#applyWithProgram(record, program, offset);
    this.#applyRest(record, offset);
  }

  applySection(section: LogSection): void | Promise<void> {
    if (section.kind === SectionKind.program) return this.#takeProgram(section.bytes);
    this.database?.applyChanges({ timestampMicros: 0, changes: [], sections: [section] });
  }

  restoreRows(table: string, rows: readonly Uint8Array[]): void {
    this.#opened().table(table).replay({ table, deletes: [], inserts: rows });
  }

  async #applyWithProgram(record: TransactionRecord, program: LogSection, offset: TxOffset): Promise<void> {
    await this.#takeProgram(program.bytes);
    this.#applyRest(record, offset);
  }

  #applyRest(record: TransactionRecord, offset: TxOffset): void {
    if (record.changes.length > 0) this.#opened().applyChanges(record, offset);
    else this.database?.applyChanges(record, offset);
  }

  async #takeProgram(bytes: Uint8Array): Promise<void> {
    // The record's bytes are a view into the file's.
    this.program = bytes.slice(1);
    const { build, follow } = this.#options;
    if (bytes[0] !== 1 && this.database !== undefined) return follow?.(this.program, this.database);
    this.database = await build(this.program);
    this.#lastTable = undefined;
  }

  #opened(): Database {
    if (this.database === undefined)
      throw new LogError('CORRUPT', 'the log changes rows before it says which tables there are');
    return this.database;
  }
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

/** Whether the tables begin anew with this section. */
export function beginsAnew({ kind, bytes }: LogSection): boolean {
  return kind === SectionKind.program && bytes[0] === 1;
}

/** The section that says which program runs from here on. */
export function programSection(program: Uint8Array, beginsAnew: boolean): LogSection {
  const bytes = new Uint8Array(program.length + 1);
  bytes[0] = beginsAnew ? 1 : 0;
  bytes.set(program, 1);
  return { kind: SectionKind.program, bytes };
}
