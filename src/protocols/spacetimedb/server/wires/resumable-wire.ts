import type { ByteReader } from '../../../../base/byte-reader.js';
import { WireError } from '../../../../base/wire-error.js';
import type { MissedCommit } from '../../../../engine/contract.js';
import type { TxOffset } from '../../../../engine/log/commit-log.js';
import { decodeResumableClientMessage, encodeResumeServerMessage } from '../../messages/resume-messages.js';
import type { Resumable, Resume, Resumed, SetSnapshot } from '../../messages/resume-messages.js';
import { resumableFrames } from '../framing.js';
import { compileForSession, QueryRefusal } from '../queries.js';
import { encodeTransactionUpdate } from '../transaction-update.js';
import type { WireSession } from '../wire.js';
import { CurrentWire, tablesOf } from './current-wire.js';

/** v3, and clients that were cut off go on where they were (resume-messages.ts). */
export class ResumableWire extends CurrentWire {
  #stopKeeping: (() => void) | undefined;
  #mayResume = true;

  constructor(session: WireSession) {
    super(session, resumableFrames);
  }

  override greet(): void {
    super.greet();
    const { recent } = this.session.live;
    this.#stopKeeping = recent?.keep();
    this.#say({ kind: 'resumable', epoch: recent?.epoch ?? '' }, 0);
  }

  override clear(): void {
    super.clear();
    this.#stopKeeping?.();
  }

  protected override handleNext(reader: ByteReader): void {
    const message = decodeResumableClientMessage(reader);
    if (message.kind === 'resume') this.#resume(message);
    else this.handle(message);
    this.#mayResume = false;
  }

  #resume(message: Resume): void {
    if (!this.#mayResume) {
      throw new WireError('BAD_VALUE', 'a connection is resumed with its first message or not at all', {});
    }
    const refusals = this.#addSets(message.querySets);
    const missed = refusals.length === 0 ? this.#updatesSince(message) : undefined;
    for (const { bytes, offset } of missed ?? []) this.session.push(bytes, offset);
    const snapshot = missed === undefined ? [...this.#snapshots(message), ...refusals] : undefined;
    this.#say({ kind: 'resumed', snapshot });
  }

  /** Follows the sets; those that cannot be followed any more, and why. */
  #addSets(sets: Resume['querySets']): SetSnapshot[] {
    const refusals: SetSnapshot[] = [];
    for (const { querySetId, queries } of sets) {
      if (this.querySets.has(querySetId)) {
        throw new WireError('BAD_VALUE', `query set ${querySetId} is resumed twice`, { querySetId });
      }
      try {
        const compiled = compileForSession(this.session, queries, this.querySets.queryCount);
        this.querySets.add(querySetId, compiled);
      } catch (error) {
        if (!(error instanceof QueryRefusal)) throw error;
        refusals.push({ querySetId, result: { kind: 'err', error: error.message } });
      }
    }
    return refusals;
  }

  #updatesSince({ identity, epoch, offset }: Resume): readonly Update[] | undefined {
    const { caller, live, database, limits } = this.session;
    if (!identity.isEqual(caller.identity)) return undefined;
    const missed = live.recent?.missed(epoch, offset, this.querySets.queries());
    return missed && this.#encode(missed, database.delivery.scratch, limits.resumedBytesMax);
  }

  /** One TransactionUpdate per transaction; undefined when they are longer than allowed. */
  #encode(
    missed: readonly MissedCommit[],
    scratch: Parameters<typeof encodeTransactionUpdate>[0],
    bytesMax: number,
  ): readonly Update[] | undefined {
    const updates: Update[] = [];
    let length = 0;
    for (const { offset, deltas } of missed) {
      const bytes = encodeTransactionUpdate(scratch, deltas, this.setsOf);
      if (bytes === undefined) continue;
      length += bytes.length;
      if (length > bytesMax) return undefined;
      updates.push({ bytes, offset });
    }
    return updates;
  }

  #snapshots({ querySets }: Resume): SetSnapshot[] {
    return querySets.flatMap(({ querySetId }) => {
      if (!this.querySets.has(querySetId)) return [];
      return [{ querySetId, result: { kind: 'ok', tables: tablesOf(this.querySets.queriesOf(querySetId)) } }];
    });
  }

  #say(message: Resumable | Resumed, offset?: TxOffset): void {
    const writer = this.session.claim();
    encodeResumeServerMessage(writer, message);
    this.session.finish(writer, offset);
  }
}

interface Update {
  readonly bytes: Uint8Array;
  readonly offset: TxOffset;
}
