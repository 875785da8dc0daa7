import { find } from './find.js';

/** Where one writes. Enter sends, Shift+Enter begins a new line. */
export class Composer {
  readonly #form = find('composer', HTMLFormElement);
  readonly #text = find('text', HTMLTextAreaElement);
  readonly #button = find('send', HTMLButtonElement);
  readonly #problem = find('send-problem', HTMLParagraphElement);
  readonly #send: (text: string) => Promise<void>;
  #isOnline = false;

  constructor(send: (text: string) => Promise<void>) {
    this.#send = send;
    this.#text.addEventListener('input', () => this.#update());
    this.#text.addEventListener('keydown', (event) => {
      // While an input method composes a word, Enter belongs to it.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  setOnline(isOnline: boolean): void {
    this.#isOnline = isOnline;
    this.#update();
  }

  #update(): void {
    this.#button.disabled = !this.#isOnline || this.#text.value.trim() === '';
    this.#problem.textContent = '';
  }

  /** The text goes away at once and comes back if it was not accepted. */
  async #submit(): Promise<void> {
    const text = this.#text.value.trim();
    if (text === '' || !this.#isOnline) return;
    this.#text.value = '';
    this.#update();
    try {
      await this.#send(text);
    } catch (error) {
      if (this.#text.value === '') this.#text.value = text;
      this.#update();
      this.#problem.textContent = `Not sent: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#text.focus();
  }
}
