const numbers = new Intl.NumberFormat('en');

/** `3,000,000` */
export function formatNumber(value: number): string {
  return numbers.format(value);
}

/** `340 ms`, `12.3 s` */
export function formatDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
