import { asArray, asOption, asRecord, asText, parseAnswer } from './json-shape.js';
import { printType } from './schema-view.js';
import { sanitize } from './terminal.js';
import { textTable } from './text-table.js';

/** The answer to a statement as people read it: a table and how many rows it has, or what was changed. */
export function renderSqlAnswer(text: string): string[] {
  return asArray(parseAnswer(text)).flatMap((one) => {
    const result = asRecord(one);
    const columns = asArray(asRecord(result['schema'])['elements']).map(asRecord);
    if (columns.length === 0) return [renderStats(asRecord(result['stats'] ?? {}))];
    const types = columns.map((column) => printType(column['algebraic_type']));
    const rows = asArray(result['rows']).map((row) =>
      asArray(row).map((value, index) => oneLine(renderValue(value, types[index] ?? ''))),
    );
    const headings = columns.map((column, index) => oneLine(asText(asOption(column['name']), index)));
    return [...textTable(headings, rows), `(${rows.length} row${rows.length === 1 ? '' : 's'})`];
  });
}

function renderStats(stats: Readonly<Record<string, unknown>>): string {
  const count = (what: string): string => `${asText(stats[`rows_${what}`], 0)} ${what}`;
  return ['inserted', 'updated', 'deleted'].map(count).join(', ');
}

/** A value in untyped SATS-JSON (products are lists, sums `[tag, payload]`) in the words of its type. */
function renderValue(value: unknown, type: string): string {
  const inner = /^option<(.*)>$/.exec(type)?.[1];
  if (inner !== undefined && Array.isArray(value)) {
    return Number(value[0]) === 0 ? renderValue(value[1], inner) : '(none)';
  }
  if (Array.isArray(value) && value.length === 1) {
    if (type === 'identity' || type === 'connectionId') return String(value[0]);
    if (type === 'timestamp') return renderTimestamp(value[0]);
    if (type === 'timeDuration') return `${String(value[0])} µs`;
  }
  return typeof value === 'string' ? value : writeJson(value);
}

/** ISO 8601 with microseconds. */
function renderTimestamp(micros: unknown): string {
  const number = BigInt(typeof micros === 'bigint' ? micros : Math.trunc(Number(micros)));
  const micro = ((number % 1000n) + 1000n) % 1000n;
  const date = new Date(Number((number - micro) / 1000n));
  if (Number.isNaN(date.getTime())) return String(number);
  return date.toISOString().replace('Z', `${String(micro).padStart(3, '0')}Z`);
}

/** JSON in which integers of any size keep their digits. */
function writeJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${writeJson(inner)}`);
    return `{${fields.join(', ')}}`;
  }
  return JSON.stringify(value) ?? '';
}

function oneLine(text: string): string {
  return sanitize(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}
