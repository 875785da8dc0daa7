import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readPrivateFile } from '../identity/private-file.js';
import { CliError, errorText } from './cli-error.js';

/** What is known of one server. */
export interface ServerEntry {
  /** From `chorale login`. */
  readonly token?: string | undefined;
  /** Set when the server was started on this machine: its owner's token lies there. */
  readonly configDirectory?: string | undefined;
}

export interface CliConfig {
  /** By URL, as `new URL(...).origin` writes it. */
  readonly servers: Readonly<Record<string, ServerEntry>>;
}

/** The user's configuration: JSON, mode 0600, because it holds tokens. */
export class ConfigFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<CliConfig> {
    const text = await this.#readText();
    if (text === undefined) return { servers: {} };
    try {
      const { servers } = JSON.parse(text) as Partial<CliConfig>;
      return { servers: { ...servers } };
    } catch (cause) {
      const hint = 'Repair it, or delete it and log in again.';
      throw new CliError(`${this.path} is not JSON`, { cause, hint });
    }
  }

  async serverEntry(url: string): Promise<ServerEntry> {
    const { servers } = await this.read();
    return Object.hasOwn(servers, url) ? (servers[url] ?? {}) : {};
  }

  /** Changes what is known of one server; the rest stays. */
  async updateServer(url: string, change: ServerEntry): Promise<void> {
    const { servers } = await this.read();
    const entry = { ...(Object.hasOwn(servers, url) ? servers[url] : {}), ...change };
    await this.#write({ servers: { ...servers, [url]: entry } });
  }

  async #readText(): Promise<string | undefined> {
    try {
      return await readPrivateFile(this.path);
    } catch (error) {
      throw new CliError(errorText(error), { cause: error });
    }
  }

  async #write(config: CliConfig): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    // Whole or not at all: another command may read it at this moment.
    const temporaryPath = `${this.path}.${process.pid}`;
    await writeFile(temporaryPath, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
    await rename(temporaryPath, this.path);
  }
}
