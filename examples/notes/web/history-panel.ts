import type { EditorView } from '@codemirror/view';

import { openViewer } from './editor.js';
import { find, make } from './find.js';
import { type Person, readPerson } from './person.js';
import type { Chapter, VersionLog } from './versions.js';

const SERVER: Person = { name: 'In the beginning', color: '#868e96', colorLight: '#868e9633' };
const UNKNOWN: Person = { ...SERVER, name: 'Somebody' };

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** What the note was, chapter by chapter: to look at, and to bring back. */
export class HistoryPanel {
  readonly #log: VersionLog;
  readonly #authorOf: (identity: string) => unknown;
  readonly #list = find('versions');
  readonly #toggle = find('history-toggle');
  #viewer: EditorView | undefined;
  #shown: number | undefined;

  constructor(log: VersionLog, authorOf: (identity: string) => unknown) {
    this.#log = log;
    this.#authorOf = authorOf;
    this.#toggle.addEventListener('click', () => void this.#open(find('history').hidden !== false));
    find('history-close').addEventListener('click', () => void this.#open(false));
    find('back').addEventListener('click', () => this.#leave());
    find('restore').addEventListener('click', () => void this.#restore());
  }

  /** The list anew, if it is shown. */
  async refresh(): Promise<void> {
    if (find('history').hidden) return;
    try {
      const chapters = await this.#log.list();
      this.#list.replaceChildren(...chapters.map((chapter) => this.#makeItem(chapter)));
      find('history-note').textContent = '';
    } catch {
      find('history-note').textContent = 'The server is not there: the history is with it.';
    }
  }

  async #open(isOpen: boolean): Promise<void> {
    find('history').hidden = !isOpen;
    document.body.classList.toggle('with-history', isOpen);
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) await this.refresh();
    else this.#leave();
  }

  #makeItem(chapter: Chapter): HTMLElement {
    const { name, color } = this.#personOf(chapter);
    const when = new Date(chapter.endMs);
    const edits = chapter.editCount === 1 ? '1 edit' : `${chapter.editCount} edits`;
    const about = make('span', 'version-about', `${day.format(when)}, ${time.format(when)} · ${edits}`);
    const button = make('button', 'version', make('span', 'version-name', name), about);
    button.style.setProperty('--color', color);
    button.setAttribute('aria-pressed', String(chapter.offset === this.#shown));
    button.addEventListener('click', () => void this.#show(chapter, button));
    return make('li', '', button);
  }

  #personOf({ author }: Chapter): Person {
    return author === null ? SERVER : (readPerson(this.#authorOf(author)) ?? UNKNOWN);
  }

  async #show(chapter: Chapter, button: HTMLElement): Promise<void> {
    const text = await this.#log.textAt(chapter.offset);
    this.#leave();
    this.#shown = chapter.offset;
    button.setAttribute('aria-pressed', 'true');
    this.#viewer = openViewer(find('past'), text);
    const when = new Date(chapter.endMs);
    find('past-label').textContent =
      `${day.format(when)}, ${time.format(when)} · ${this.#personOf(chapter).name}`;
    document.body.classList.add('in-past');
  }

  #leave(): void {
    this.#viewer?.destroy();
    this.#viewer = undefined;
    this.#shown = undefined;
    for (const button of this.#list.querySelectorAll('[aria-pressed=true]'))
      button.setAttribute('aria-pressed', 'false');
    document.body.classList.remove('in-past');
  }

  async #restore(): Promise<void> {
    if (this.#shown === undefined) return;
    await this.#log.restore(this.#shown);
    this.#leave();
    await this.refresh();
  }
}
