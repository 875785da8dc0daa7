import { basename, relative } from 'node:path';
import { systemClock } from '../base/clock.js';
import { generateFromSchema, writeBindings } from './bindings.js';
import { CliError, errorText } from './cli-error.js';
import type { CommandContext } from './command-context.js';
import { isAtLeast, localTime, readLogLine, renderLogLine } from './log-line.js';
import { buildModule, describeSize } from './module-build.js';
import type { Project } from './project.js';
import { publishProgram, type DeleteData } from './publish.js';
import type { ServerApi } from './server-api.js';
import { SourceWatcher } from './source-watcher.js';
import { sanitize } from './terminal.js';

/** One `chorale dev`: builds, publishes and regenerates whenever a source changes, one at a time. */
export class DevSession {
  readonly #context: CommandContext;
  readonly #server: ServerApi;
  readonly #project: Project;
  readonly #database: string;
  readonly #deleteData: DeleteData;
  #watcher: SourceWatcher | undefined;
  /** The program that runs; saving without changing publishes nothing. */
  #running: string | undefined;
  #isFollowing = false;
  /** Builds follow each other: the end of this chain is the end of the last one. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    context: CommandContext,
    server: ServerApi,
    project: Project,
    options: { readonly database: string; readonly deleteData: DeleteData },
  ) {
    this.#context = context;
    this.#server = server;
    this.#project = project;
    this.#database = options.database;
    this.#deleteData = options.deleteData;
  }

  /** Builds once and then watches. A mistake in the source is no end: it can be corrected. */
  async open(): Promise<void> {
    const { root, modulePath, bindings } = this.#project;
    const folder = modulePath.startsWith(root) ? root : modulePath;
    this.#watcher = await SourceWatcher.open(folder, bindings?.outDirectory, systemClock, (files) => {
      this.#enqueue(this.#describe(files));
    });
    this.#enqueue('start');
    await this.#queue;
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.#queue;
  }

  #enqueue(cause: string): void {
    this.#queue = this.#queue.then(() => this.#update(cause));
  }

  async #update(cause: string): Promise<void> {
    if (this.#context.stop.aborted) return;
    const startedMs = performance.now();
    try {
      const done = await this.#publish();
      if (done === undefined) return;
      this.#say('green', `${cause}: ${done} in ${Math.round(performance.now() - startedMs)} ms`);
      void this.#followLogs();
    } catch (error) {
      this.#complain(cause, error);
    }
  }

  /** @returns what was done, undefined when the program is the one that runs already. */
  async #publish(): Promise<string | undefined> {
    const { program, inputs } = await buildModule(this.#project.modulePath);
    this.#watcher?.add(inputs);
    if (program === this.#running) return undefined;
    const { operation } = await publishProgram(this.#server, this.#database, program, this.#deleteData);
    this.#running = program;
    const written = await this.#writeBindings();
    return `${operation} ${this.#database} (${describeSize(program)}${written})`;
  }

  async #writeBindings(): Promise<string> {
    const { bindings } = this.#project;
    if (bindings === undefined) return '';
    const files = await generateFromSchema(this.#server, this.#database, bindings.sdk);
    const changed = await writeBindings(bindings.outDirectory, files);
    return changed === 0 ? '' : `, ${changed} bindings written`;
  }

  /** Shows what the module says from now on. The stream ends when the database is reset; the next publish opens it again. */
  async #followLogs(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    try {
      for await (const line of this.#server.logs(this.#database, 0, true)) {
        const entry = readLogLine(line);
        if (isAtLeast(entry.level, 'info'))
          this.#context.terminal.out(renderLogLine(entry, this.#context.terminal));
      }
    } catch (error) {
      if (!this.#context.stop.aborted) this.#say('yellow', `no more logs: ${errorText(error)}`);
    } finally {
      this.#isFollowing = false;
    }
  }

  #complain(cause: string, error: unknown): void {
    if (this.#context.stop.aborted) return;
    const what = this.#running === undefined ? '' : '; the last good version keeps running';
    this.#say('red', `${cause}: not published${what}`);
    this.#context.terminal.note(sanitize(errorText(error)));
    if (error instanceof CliError && error.hint !== undefined) this.#context.terminal.note(error.hint);
  }

  #say(style: 'green' | 'red' | 'yellow', text: string): void {
    const { terminal } = this.#context;
    terminal.note(`${terminal.paint('dim', localTime(new Date()))} ${terminal.paint(style, sanitize(text))}`);
  }

  #describe(files: readonly string[]): string {
    const [first = ''] = files;
    const path = relative(this.#project.root, first);
    const shown = path.startsWith('..') ? basename(first) : path;
    return files.length > 1 ? `${shown} and ${files.length - 1} more` : shown;
  }
}
