import { CliError, errorText, ExitCode } from './cli-error.js';
import { asArray, asRecord, asString } from './json-shape.js';

/* The HTTP routes of a server, one method each. Any server that speaks them will do. */

export interface PublishResult {
  readonly operation: string;
  readonly identity: string;
}

interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly contentType?: string;
}

/** An answer that is not a success. `message` is the server's own text. */
export class ServerError extends CliError {
  readonly status: number;

  constructor(status: number, message: string, hint?: string) {
    super(message, { hint });
    this.status = status;
  }
}

/** A server at its address, with the token to show it. */
export class ServerApi {
  readonly url: string;
  readonly token: string | undefined;
  readonly #stop: AbortSignal;

  constructor(url: string, token: string | undefined, stop: AbortSignal) {
    this.url = url;
    this.token = token;
    this.#stop = stop;
  }

  withToken(token: string | undefined): ServerApi {
    return new ServerApi(this.url, token, this.#stop);
  }

  /** Whether somebody answers there. */
  async isRunning(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/v1/ping`, { signal: this.#stop })).ok;
    } catch {
      return false;
    }
  }

  async createIdentity(): Promise<{ identity: string; token: string }> {
    const answer = asRecord(await this.#json('POST', '/v1/identity'));
    return { identity: asString(answer['identity']), token: asString(answer['token']) };
  }

  /** Throws when the token is not the identity's, or not valid at all. */
  async verifyIdentity(identity: string): Promise<void> {
    await this.#request('GET', `/v1/identity/${identity}/verify`);
  }

  publicKey(): Promise<string> {
    return this.#text('GET', '/v1/identity/public-key');
  }

  async publish(name: string | undefined, program: string, clear: boolean): Promise<PublishResult> {
    const query = { host_type: 'Js', ...(clear ? { clear: 'true' } : {}) };
    const options = { query, body: program, contentType: 'text/javascript' };
    const path = name === undefined ? '/v1/database' : databasePath(name);
    const answer = asRecord(await this.#json(name === undefined ? 'POST' : 'PUT', path, options));
    if (!('Success' in answer)) throw new CliError(`the server refused: ${JSON.stringify(answer)}`);
    const success = asRecord(answer['Success']);
    return { operation: asString(success['op']), identity: asString(success['database_identity']) };
  }

  /** The schema as JSON text: version 9 names everything canonically, version 10 is what modules say themselves. */
  schema(database: string, version: 9 | 10): Promise<string> {
    return this.#text('GET', `${databasePath(database)}/schema`, { query: { version: String(version) } });
  }

  /** @param args SATS-JSON. The answer is the returned value, empty for reducers. */
  call(database: string, functionName: string, args: string): Promise<string> {
    const path = `${databasePath(database)}/call/${encodeURIComponent(functionName)}`;
    return this.#text('POST', path, { body: args, contentType: 'application/json' });
  }

  sql(database: string, statement: string): Promise<string> {
    return this.#text('POST', `${databasePath(database)}/sql`, { body: statement });
  }

  /** Lines of NDJSON; with `follow` they go on until the user stops. */
  async *logs(database: string, lines: number | undefined, follow: boolean): AsyncGenerator<string> {
    const query = {
      ...(lines === undefined ? {} : { num_lines: String(lines) }),
      ...(follow ? { follow: 'true' } : {}),
    };
    const response = await this.#request('GET', `${databasePath(database)}/logs`, { query });
    try {
      yield* splitLines(response);
    } catch (error) {
      if (!this.#stop.aborted)
        throw new CliError(`the server went away: ${errorText(error)}`, { cause: error });
    }
  }

  /** The bytes of a backup, as they come. */
  async backup(database: string): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#request('GET', `${databasePath(database)}/backup`);
    if (body === null) throw new CliError('the server sent no backup');
    return body;
  }

  async databasesOf(identity: string): Promise<readonly string[]> {
    const answer = asRecord(await this.#json('GET', `/v1/identity/${identity}/databases`));
    return asArray(answer['identities']).map(asString);
  }

  async namesOf(database: string): Promise<readonly string[]> {
    return asArray(asRecord(await this.#json('GET', `${databasePath(database)}/names`))['names']).map(
      asString,
    );
  }

  identityOf(database: string): Promise<string> {
    return this.#text('GET', `${databasePath(database)}/identity`);
  }

  async deleteDatabase(database: string): Promise<void> {
    await this.#request('DELETE', databasePath(database));
  }

  async #text(method: string, path: string, options?: RequestOptions): Promise<string> {
    return await (await this.#request(method, path, options)).text();
  }

  async #json(method: string, path: string, options?: RequestOptions): Promise<unknown> {
    const text = await this.#text(method, path, options);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new CliError(`${this.url}${path} did not answer with JSON; is it a Chorale server?`, { cause });
    }
  }

  async #request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const response = await this.#fetch(method, path, options);
    if (response.ok) return response;
    const text = (await response.text()).trim();
    throw new ServerError(
      response.status,
      text || `the server answered ${response.status}`,
      hintFor(response.status),
    );
  }

  async #fetch(method: string, path: string, options: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.token !== undefined) headers['authorization'] = `Bearer ${this.token}`;
    if (options.contentType !== undefined) headers['content-type'] = options.contentType;
    const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query).toString()}`;
    const body = options.body ?? null;
    try {
      return await fetch(`${this.url}${path}${query}`, { method, headers, body, signal: this.#stop });
    } catch (error) {
      throw this.#stop.aborted ? new CliError('stopped') : this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): CliError {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const isRefused = cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
    const hint = 'Start one with `chorale start`, or say where it is with --server URL.';
    if (isRefused) return new CliError(`no server is running at ${this.url}`, { hint, cause });
    return new CliError(`cannot reach ${this.url}: ${errorText(cause)}`, { hint, cause });
  }
}

function databasePath(name: string): string {
  if (name === '' || name === '.' || name === '..') {
    throw new CliError(`\`${name}\` is not the name of a database`, { exitCode: ExitCode.USAGE });
  }
  return `/v1/database/${encodeURIComponent(name)}`;
}

function hintFor(status: number): string | undefined {
  if (status === 401) return 'Log in with `chorale login`, or show another token with --token.';
  if (status === 403) {
    return "Only the owner may do this. On the server's machine his token is used by itself; elsewhere, `chorale login --token`.";
  }
  return undefined;
}

async function* splitLines(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
