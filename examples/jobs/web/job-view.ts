import type { Job, JobState } from './job.js';
import { formatDuration, formatNumber } from './format.js';

/** A job as a card of the page: what it is, how far, and a button that stops it. */
export class JobView {
  readonly element: HTMLElement;
  readonly #state: HTMLElement;
  readonly #bar: HTMLProgressElement;
  readonly #percent: HTMLElement;
  readonly #facts: HTMLElement;
  readonly #cancel: HTMLButtonElement;
  readonly #startMs = performance.now();

  constructor(template: HTMLTemplateElement, limit: number, onCancel: () => void) {
    this.element = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    const title = `Primes below ${formatNumber(limit)}`;
    this.#part('title').textContent = title;
    this.#state = this.#part('state');
    this.#bar = this.#part('bar') as HTMLProgressElement;
    this.#bar.ariaLabel = title;
    this.#percent = this.#part('percent');
    this.#facts = this.#part('facts');
    this.#cancel = this.#part('cancel') as HTMLButtonElement;
    this.#cancel.ariaLabel = `Cancel ${title}`;
    this.#cancel.addEventListener('click', onCancel);
  }

  show(job: Job): void {
    const { kind } = job.state;
    this.element.dataset['state'] = kind;
    // Only what is new: a screen reader says every change.
    if (this.#state.textContent !== kind) this.#state.textContent = kind;
    this.#showProgress(job.state);
    const lost = job.lost.map((worker) => `${worker} was lost`);
    this.#facts.textContent = [...lost, describe(job.state), this.#elapsed(kind)]
      .filter((fact) => fact !== '')
      .join(' · ');
    this.#cancel.hidden = kind !== 'waiting' && kind !== 'running';
  }

  #showProgress(state: JobState): void {
    if (state.kind === 'running') {
      this.#bar.value = state.progress.done / state.progress.of;
      this.#percent.textContent = `${Math.floor(this.#bar.value * 100)} %`;
    } else if (state.kind === 'waiting') {
      this.#bar.removeAttribute('value');
      this.#percent.textContent = '';
    } else {
      if (state.kind === 'done') this.#bar.value = 1;
      this.#percent.textContent = '';
    }
  }

  #elapsed(kind: JobState['kind']): string {
    return kind === 'done' ? formatDuration(performance.now() - this.#startMs) : '';
  }

  #part(name: string): HTMLElement {
    return this.element.querySelector<HTMLElement>(`[data-part=${name}]`)!;
  }
}

function describe(state: JobState): string {
  switch (state.kind) {
    case 'waiting':
      return 'looks for a worker';
    case 'running':
      return `${state.progress.worker} has found ${formatNumber(state.progress.found)}`;
    case 'done':
      return `${formatNumber(state.primes)} primes, found by ${state.worker}`;
    case 'failed':
      return state.text;
    default:
      return 'stopped';
  }
}
