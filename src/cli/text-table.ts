/**
 * Rows under their headings, the way psql prints them.
 *
 * @example
 * textTable(['name'], [['ada']]) // [' name ', '------', ' ada  ']
 */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, column) =>
    rows.reduce((width, row) => Math.max(width, displayWidth(row[column] ?? '')), displayWidth(heading)),
  );
  const line = (cells: readonly string[]): string =>
    widths.map((width, column) => ` ${pad(cells[column] ?? '', width)} `).join('|');
  return [line(headings), widths.map((width) => '-'.repeat(width + 2)).join('+'), ...rows.map(line)];
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Columns on a terminal: what a reader takes for one letter counts once, East Asian letters twice. */
function displayWidth(text: string): number {
  // eslint-disable-next-line no-control-regex -- plain ASCII, by far the most frequent
  if (/^[\u0000-\u007f]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width +=
      /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return width;
}
