import type { DatabaseSchema } from '../../../../engine/schema.js';
import { tableClassName } from '../../messages/v1-text/messages.js';

// Every repetition is bounded, so that no text makes the search slow. Longer ones mean what they mean without this.
const NAME = String.raw`[A-Za-z_][A-Za-z0-9_]{0,127}`;
const SELECTION = String.raw`(?:\*|"?${NAME}"?\s{0,9}\.\s{0,9}\*)`;
const SELECT = new RegExp(
  String.raw`^(\s{0,99}SELECT\s{1,9}${SELECTION}\s{1,99}FROM\s{1,9})"?(${NAME})"?(?=\s{1,99}WHERE\s|\s{0,99};?\s{0,99}$)`,
  'i',
);

/**
 * A query of a client of v1.text, who calls tables by their classes, with the table's own name; the class stays as an
 * alias, as it may stand before columns. Other texts are left as they are.
 *
 * @example
 * toCanonicalTable("SELECT * FROM User WHERE User.name = 'ada'", schema)
 * // "SELECT * FROM user AS User WHERE User.name = 'ada'"
 */
export function toCanonicalTable(sql: string, { tables }: DatabaseSchema): string {
  const match = SELECT.exec(sql);
  if (match === null) return sql;
  const [whole, head, name] = match as unknown as readonly [string, string, string];
  if (tables.some((table) => table.name === name || table.sourceName === name)) return sql;
  const table = tables.find((candidate) => tableClassName(candidate.name) === name);
  if (table === undefined) return sql;
  return `${head}"${table.name}" AS "${name}"${sql.slice(whole.length)}`;
}
