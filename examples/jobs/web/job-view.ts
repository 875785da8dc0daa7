import type { Job } from './job.js';

/** A job as a row of the page: what it is, how far, and a button that stops it. */
export class JobView {
  readonly element = document.createElement('li');
  readonly #bar = document.createElement('progress');
  readonly #text = document.createElement('span');
  readonly #button = document.createElement('button');

  constructor(limit: number, onCancel: () => void) {
    const title = document.createElement('strong');
    title.textContent = `Primes below ${limit.toLocaleString()}`;
    this.#text.role = 'status';
    this.#text.textContent = 'waits for a worker';
    this.#button.textContent = 'Cancel';
    this.#button.addEventListener('click', onCancel);
    this.element.append(title, this.#bar, this.#text, this.#button);
  }

  show({ state }: Job): void {
    if (state.kind !== 'running') {
      this.#text.textContent = state.text;
      this.#bar.max = 1;
      this.#bar.value = state.kind === 'done' ? 1 : 0;
      this.#button.remove();
    } else if (state.progress !== undefined) {
      const { done, of, found, worker } = state.progress;
      this.#bar.max = of;
      this.#bar.value = done;
      this.#text.textContent = `${worker}: ${found} so far`;
    }
  }
}
