import type { WorkerStatus } from '../jobs-api.js';

/** Who is in the pool, and what each of them does. */
export class WorkersView {
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #rows = new Map<string, HTMLElement>();

  constructor(list: HTMLElement, empty: HTMLElement) {
    this.#list = list;
    this.#empty = empty;
  }

  /** `topic` is the worker's own. */
  show(topic: string, status: WorkerStatus): void {
    const row = this.#rows.get(topic);
    if (!status.isHere) {
      row?.remove();
      this.#rows.delete(topic);
    } else {
      const next = makeRow(status);
      if (row === undefined) this.#list.append(next);
      else row.replaceWith(next);
      this.#rows.set(topic, next);
    }
    this.#empty.hidden = this.#rows.size > 0;
  }

  /** Who is there is not known any more. */
  clear(): void {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }
}

function makeRow({ name, running, finished }: WorkerStatus): HTMLElement {
  const row = document.createElement('li');
  row.className = running > 0 ? 'worker busy' : 'worker';
  const [dot, who, what] = ['dot', 'who', 'what'].map((className) => {
    const part = document.createElement('span');
    part.className = className;
    return part;
  });
  who!.textContent = name;
  const work = running === 0 ? 'idle' : running === 1 ? '1 job' : `${running} jobs`;
  what!.textContent = finished === 0 ? work : `${work} · ${finished} done`;
  row.append(dot!, who!, what!);
  return row;
}
