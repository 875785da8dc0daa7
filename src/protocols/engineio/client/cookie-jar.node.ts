/** The cookies of one connection, which talks to one host only: names and values, no attributes but their end. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Takes what a server sets. */
  take(lines: readonly string[] | undefined): void {
    for (const line of lines ?? []) {
      const [pair = '', ...attributes] = line.split(';');
      const equals = pair.indexOf('=');
      if (equals < 1) continue;
      const name = pair.slice(0, equals).trim();
      if (attributes.some((text) => /^\s*max-age=(?:0|-\d+)\s*$/i.test(text))) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(equals + 1).trim());
    }
  }

  /** The caller's own Cookie header, with what the server has set behind it. */
  header(own: string | undefined): string | undefined {
    const parts = [...this.#cookies].map(([name, value]) => `${name}=${value}`);
    if (own !== undefined) parts.unshift(own);
    return parts.length === 0 ? undefined : parts.join('; ');
  }
}
