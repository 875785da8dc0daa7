import { ByteWriter } from '../../base/byte-writer.js';
import { EngineError } from '../errors.js';
import type { TableDelta } from '../contract.js';
import type { LogSection } from '../log/commit-log.js';
import type { EncodedChange } from './net-changes.js';
import type { Table } from './table.js';

/** A delta whose rows know where in the transaction's bytes they stand. */
interface EncodedDelta extends TableDelta {
  readonly deletes: readonly EncodedChange[];
  readonly inserts: readonly EncodedChange[];
}

/**
 * 64 KiB: some hundred transactions share one buffer, of which their rows' bytes are views. Who keeps one row's bytes
 * keeps all of the buffer, so it must not be larger.
 */
const ARENA_BYTES = 64 * 1024;
/** A transaction that starts with less room than this gets a fresh buffer rather than have the old one copied as it grows. */
const ROOM_MIN = 4 * 1024;

/** The open transaction as the tables of a database see it: may they write, where do rows' bytes go, who was touched. */
export class WriteScope {
  isOpen = false;
  /** When the open transaction began. */
  timestampMicros = 0;
  writer = new ByteWriter(ARENA_BYTES);
  touched: Table[] = [];
  /** What the transaction does besides changing rows. */
  sections: LogSection[] = [];

  open(timestampMicros: number): void {
    this.isOpen = true;
    this.timestampMicros = timestampMicros;
    const { length, bytes } = this.writer;
    if (length + ROOM_MIN > bytes.length || bytes.length > ARENA_BYTES)
      this.writer = new ByteWriter(ARENA_BYTES);
  }

  /** The net changes of the tables that were touched. */
  collectDeltas(): EncodedDelta[] {
    const deltas: EncodedDelta[] = [];
    for (const table of this.touched) {
      const { deletes, inserts } = table.journal.netChanges(this.writer);
      if (deletes.length > 0 || inserts.length > 0) deltas.push({ table: table.def, deletes, inserts });
    }
    // Only now is the buffer the one that all rows are in: it may have grown meanwhile.
    const { buffer } = this.writer.bytes;
    for (const { deletes, inserts } of deltas) {
      for (const row of deletes) row.settle(buffer);
      for (const row of inserts) row.settle(buffer);
    }
    return deltas;
  }

  close(): void {
    this.isOpen = false;
    // Cheaper than setting the length to 0, which is a call into the runtime.
    this.touched = [];
    if (this.sections.length > 0) this.sections = [];
  }

  assertOpen(table: string): void {
    if (this.isOpen) return;
    throw new EngineError(
      'NotInTransaction',
      `table \`${table}\` can be changed only within a transaction, and none is open: is a \`ctx.db\` used after its reducer returned?`,
    );
  }
}
