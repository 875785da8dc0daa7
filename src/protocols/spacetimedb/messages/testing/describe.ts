import { assertNever } from '../../../../base/assert.js';
import type { RowList } from '../row-list.js';
import type { ResumableServerMessage } from '../resume-messages.js';
import type { QuerySetUpdate, TableRows } from '../server-messages.js';

/* Messages as one line of text, for the traces that tests compare. */

/** One row as text. */
export type DescribeRow = (table: string, row: Uint8Array) => string;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** For tests that store words instead of rows. */
const rowsAreWords: DescribeRow = (_table, row) => text(row);

/** `ok 2 set0: user(+ada)`. */
export function describeMessage(message: ResumableServerMessage, row: DescribeRow = rowsAreWords): string {
  switch (message.kind) {
    case 'initialConnection':
      return `hello ${message.token}`;
    case 'subscribeApplied':
      return `applied ${message.requestId}/${message.querySetId}${describeTables(message.tables, row)}`;
    case 'unsubscribeApplied':
      return `dropped ${message.requestId}/${message.querySetId}${describeTables(message.tables ?? [], row)}`;
    case 'subscriptionError':
      return `refused ${message.requestId ?? '-'}/${message.querySetId} ${message.error}`;
    case 'transactionUpdate':
      return `update${describeSets(message.querySets, row)}`;
    case 'oneOffQueryResult': {
      const { result } = message;
      return `rows ${message.requestId}${result.kind === 'ok' ? describeTables(result.tables, row) : ` ${result.error}`}`;
    }
    case 'reducerResult': {
      const { outcome } = message;
      if (outcome.kind === 'ok') return `ok ${message.requestId}${describeSets(outcome.querySets, row)}`;
      if (outcome.kind === 'err') return `err ${message.requestId} ${text(outcome.error.subarray(4))}`;
      return outcome.kind === 'okEmpty'
        ? `ok ${message.requestId}`
        : `broke ${message.requestId} ${outcome.error}`;
    }
    case 'procedureResult': {
      const { status } = message;
      return `procedure ${message.requestId} ${status.kind === 'returned' ? text(status.value) : status.error}`;
    }
    case 'resumable':
      return `resumable ${message.epoch}`;
    case 'position':
      return `position ${message.offset}`;
    case 'resumed': {
      const sets = (message.snapshot ?? []).map(
        ({ querySetId, result }) =>
          ` set${querySetId}:${result.kind === 'ok' ? describeTables(result.tables, row) : ` ${result.error}`}`,
      );
      return `resumed by ${message.snapshot === undefined ? 'changes' : 'snapshot'}${sets.join('')}`;
    }
    default:
      return assertNever(message);
  }
}

/** In an order of its own: results of queries have none. */
function describeRows(table: string, rows: RowList, row: DescribeRow): string {
  return rows
    .rows()
    .map((bytes) => row(table, bytes))
    .sort()
    .join(',');
}

function describeTables(tables: readonly TableRows[], row: DescribeRow): string {
  return tables.map(({ table, rows }) => ` ${table}[${describeRows(table, rows, row)}]`).join('');
}

function describeSets(sets: readonly QuerySetUpdate[], row: DescribeRow): string {
  return sets
    .map(({ querySetId, tables }) => {
      const updates = tables.map(({ table, rows }) => {
        const changes = rows.map((update) => {
          if (update.kind === 'event') return `!${describeRows(table, update.events, row)}`;
          const [inserts, deletes] = [update.inserts, update.deletes].map((list) =>
            describeRows(table, list, row),
          );
          return `${inserts === '' ? '' : `+${inserts}`}${deletes === '' ? '' : `-${deletes}`}`;
        });
        return ` ${table}(${changes.join(' ')})`;
      });
      return ` set${querySetId}:${updates.join('')}`;
    })
    .join('');
}
