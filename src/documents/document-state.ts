import { VarReader } from '../base/var-reader.js';
import { VarWriter } from '../base/var-writer.js';
import { IdRanges } from './id-ranges.js';
import type { UpdateSummary } from './scan-update.js';

/** What a document has, known from the headers of its updates alone. */
export class DocumentState {
  #structs = new IdRanges();
  /** Undefined until something was deleted. */
  #deletes: IdRanges | undefined;
  /** By client, the highest clock that something points at and that is not here. */
  #unmet: Map<number, number> | undefined;

  /** Whether something is missing without which part of the updates cannot be placed. */
  get hasGaps(): boolean {
    return this.#structs.hasGaps || this.#unmet !== undefined;
  }

  /** Whether everything in it is here already. */
  knows({ structs, deletes }: UpdateSummary): boolean {
    for (let i = 0; i < structs.length; i += 3)
      if (!this.#structs.has(structs[i]!, structs[i + 1]!, structs[i + 2]!)) return false;
    for (let i = 0; i < deletes.length; i += 3)
      if (this.#deletes?.has(deletes[i]!, deletes[i + 1]!, deletes[i + 2]!) !== true) return false;
    return true;
  }

  add({ structs, deletes, needs }: UpdateSummary): void {
    for (let i = 0; i < structs.length; i += 3)
      this.#structs.add(structs[i]!, structs[i + 1]!, structs[i + 2]!);
    for (let i = 0; i < deletes.length; i += 3)
      (this.#deletes ??= new IdRanges()).add(deletes[i]!, deletes[i + 1]!, deletes[i + 2]!);
    for (let i = 0; i < needs.length; i += 2) this.#need(needs[i]!, needs[i + 1]!);
    if (this.#unmet !== undefined) this.#forgetMet(this.#unmet);
  }

  #forgetMet(unmet: Map<number, number>): void {
    for (const [client, clock] of unmet) if (this.#structs.next(client) > clock) unmet.delete(client);
    if (unmet.size === 0) this.#unmet = undefined;
  }

  #need(client: number, clock: number): void {
    if (this.#structs.next(client) > clock) return;
    this.#unmet ??= new Map();
    this.#unmet.set(client, Math.max(clock, this.#unmet.get(client) ?? 0));
  }

  get heldBytes(): number {
    return this.#structs.heldBytes + (this.#deletes?.heldBytes ?? 0);
  }

  encode(writer: VarWriter): void {
    this.#structs.encode(writer);
    (this.#deletes ?? NOTHING).encode(writer);
    writer.writeVarUint(this.#unmet?.size ?? 0);
    for (const [client, clock] of this.#unmet ?? []) writer.writeVarUint(client).writeVarUint(clock);
  }

  static decode(reader: VarReader): DocumentState {
    const state = new DocumentState();
    state.#structs = IdRanges.decode(reader);
    state.#deletes = IdRanges.decode(reader);
    for (let left = reader.readVarUint(); left > 0; left--)
      (state.#unmet ??= new Map()).set(reader.readVarUint(), reader.readVarUint());
    return state;
  }

  /** As in a syncStep1: varuint n, n x (client, next clock). */
  encodeStateVector(): Uint8Array<ArrayBuffer> {
    const entries = [...this.#structs.clients]
      .map((client) => [client, this.#structs.next(client)] as const)
      .filter(([, clock]) => clock > 0)
      // Highest client first, as yjs does, so that equal vectors are equal bytes.
      .toSorted(([a], [b]) => b - a);
    const writer = new VarWriter().writeVarUint(entries.length);
    for (const [client, clock] of entries) writer.writeVarUint(client).writeVarUint(clock);
    return writer.finish();
  }
}

const NOTHING = new IdRanges();
