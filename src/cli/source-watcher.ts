import { sep } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import type { Clock, Timer } from '../base/clock.js';

// 40 ms: editors write a file in several steps, and "save all" writes several files.
const SETTLE_MS = 40;

const SOURCE = /\.(m?[jt]sx?|json)$/;
const IGNORED_FOLDERS = new Set(['node_modules', 'dist']);

/** Tells when sources of a module were changed, once for changes that belong together. */
export class SourceWatcher {
  readonly #watcher: FSWatcher;
  readonly #clock: Clock;
  readonly #onChange: (files: readonly string[]) => void;
  readonly #changed = new Set<string>();
  #timer: Timer | undefined;

  private constructor(watcher: FSWatcher, clock: Clock, onChange: (files: readonly string[]) => void) {
    this.#watcher = watcher;
    this.#clock = clock;
    this.#onChange = onChange;
    watcher.on('all', (_event, path) => this.#note(path));
  }

  /** @param ignored a folder inside that is not source: the one we write bindings to. */
  static async open(
    folder: string,
    ignored: string | undefined,
    clock: Clock,
    onChange: (files: readonly string[]) => void,
  ): Promise<SourceWatcher> {
    const watcher = watch(folder, {
      ignoreInitial: true,
      ignored: (path, stats) =>
        isIgnored(path, folder, ignored) || (stats?.isFile() === true && !SOURCE.test(path)),
    });
    const opened = new SourceWatcher(watcher, clock, onChange);
    await new Promise<void>((ready) => watcher.once('ready', ready));
    return opened;
  }

  /** Files from outside of the folder that the module is made of, too. */
  add(files: readonly string[]): void {
    const installed = `${sep}node_modules${sep}`;
    this.#watcher.add(files.filter((file) => !file.includes(installed)));
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#watcher.close();
  }

  #note(path: string): void {
    if (!SOURCE.test(path)) return;
    this.#changed.add(path);
    this.#timer?.cancel();
    this.#timer = this.#clock.startTimer(SETTLE_MS, () => this.#report());
  }

  #report(): void {
    const files = [...this.#changed];
    this.#changed.clear();
    this.#onChange(files);
  }
}

function isIgnored(path: string, folder: string, ignored: string | undefined): boolean {
  if (ignored !== undefined && (path === ignored || path.startsWith(ignored + sep))) return true;
  const inside = path.slice(folder.length).split(sep);
  return (
    path.startsWith(folder + sep) && inside.some((part) => part.startsWith('.') || IGNORED_FOLDERS.has(part))
  );
}
