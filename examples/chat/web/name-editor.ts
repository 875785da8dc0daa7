import type { Person } from '../client/chat-session.js';
import { paintAvatar } from './avatar.js';
import { find } from './find.js';

/** One's own name, and the form to change it. */
export class NameEditor {
  readonly #row = find('me-row', HTMLDivElement);
  readonly #name = find('my-name', HTMLSpanElement);
  readonly #avatar = find('my-avatar', HTMLSpanElement);
  readonly #edit = find('edit-name', HTMLButtonElement);
  readonly #form = find('name-form', HTMLFormElement);
  readonly #input = find('name-input', HTMLInputElement);
  readonly #problem = find('name-problem', HTMLParagraphElement);
  readonly #save: (name: string) => Promise<void>;
  #me: Person | undefined;

  constructor(save: (name: string) => Promise<void>) {
    this.#save = save;
    this.#edit.addEventListener('click', () => this.#open());
    find('cancel-name', HTMLButtonElement).addEventListener('click', () => this.#close());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#close();
    });
  }

  setOnline(isOnline: boolean): void {
    this.#edit.disabled = !isOnline;
  }

  show(me: Person): void {
    this.#me = me;
    this.#name.textContent = me.label;
    this.#edit.textContent = me.name === undefined ? 'Set name' : 'Edit name';
    paintAvatar(this.#avatar, me);
  }

  #open(): void {
    this.#problem.textContent = '';
    this.#input.value = this.#me?.name ?? '';
    this.#toggle(true);
    this.#input.select();
    this.#input.focus();
  }

  #close(): void {
    this.#toggle(false);
    this.#edit.focus();
  }

  async #submit(): Promise<void> {
    try {
      await this.#save(this.#input.value);
      this.#close();
    } catch (error) {
      this.#problem.textContent = error instanceof Error ? error.message : String(error);
      this.#input.focus();
    }
  }

  #toggle(isEditing: boolean): void {
    this.#form.hidden = !isEditing;
    this.#row.hidden = isEditing;
  }
}
