/** One edit, as the server lists it. */
export interface Version {
  readonly offset: number;
  readonly timestampMicros: number;
  /** An identity; null for what the server wrote itself. */
  readonly author: string | null;
}

/** What somebody wrote without a longer pause. */
export interface Chapter {
  /** Its last edit: the document as it was then. */
  readonly offset: number;
  readonly endMs: number;
  readonly author: string | null;
  readonly editCount: number;
}

const PAUSE_MS = 60_000;

/**
 * Every key is an edit: they are put together until somebody else goes on, or after a pause, or where the past was brought back.
 * Newest first.
 */
export function groupVersions(
  versions: readonly Version[],
  restores: ReadonlySet<number> = new Set(),
): Chapter[] {
  const chapters: Chapter[] = [];
  for (const { offset, timestampMicros, author } of versions) {
    const endMs = timestampMicros / 1000;
    const last = chapters.at(-1);
    const goesOn = last?.author === author && endMs - last.endMs < PAUSE_MS && !restores.has(offset);
    if (last !== undefined && goesOn)
      chapters[chapters.length - 1] = { offset, endMs, author, editCount: last.editCount + 1 };
    else chapters.push({ offset, endMs, author, editCount: 1 });
  }
  return chapters.toReversed();
}

/** The documents' past, over HTTP. */
export class VersionLog {
  readonly #path: string;
  readonly #token: () => string | undefined;
  readonly #restores = new Set<number>();

  constructor(room: string, token: () => string | undefined) {
    this.#path = `/v1/rooms/${encodeURIComponent(room)}`;
    this.#token = token;
  }

  async list(): Promise<Chapter[]> {
    const versions = (await (await this.#request('versions')).json()) as Version[];
    return groupVersions(versions, this.#restores);
  }

  async textAt(offset: number): Promise<string> {
    return (await this.#request(`text?root=text&at=${offset}`)).text();
  }

  /** Brings it back for everybody, as an edit on top of all others. */
  async restore(offset: number): Promise<void> {
    const response = await this.#request(`restore?at=${offset}`, 'POST');
    this.#restores.add(((await response.json()) as { readonly offset: number }).offset);
  }

  async #request(path: string, method = 'GET'): Promise<Response> {
    const token = this.#token();
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.#path}/${path}`, { method, headers });
    if (!response.ok) throw new Error(await response.text());
    return response;
  }
}
