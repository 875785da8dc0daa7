import type { ConnectionState } from '../client/chat-session.js';
import { find } from './find.js';

// 1 s: who connects at once should not see a banner flash.
const PATIENCE_MS = 1_000;

/** Says when there is no connection, and what is being done about it. */
export class ConnectionBanner {
  readonly #banner = find('banner', HTMLDivElement);
  readonly #text = find('banner-text', HTMLSpanElement);
  readonly #retry = find('retry', HTMLButtonElement);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasOnline = false;
  #notice = '';

  constructor(onRetry: () => void) {
    this.#retry.addEventListener('click', onRetry);
  }

  show(state: ConnectionState): void {
    clearTimeout(this.#timer);
    if (state.kind === 'online') this.#showOnline();
    else if (state.kind === 'waiting') this.#countDown(state.retryAtMs);
    else if (this.#banner.hidden) this.#timer = setTimeout(() => this.#write('Connecting …'), PATIENCE_MS);
    else this.#write(this.#wasOnline ? 'Connection lost. Reconnecting …' : 'Connecting …');
  }

  /** Something to know after the connection is back. */
  showNotice(text: string): void {
    this.#notice = text;
  }

  #showOnline(): void {
    this.#wasOnline = true;
    if (this.#notice === '') {
      this.#banner.hidden = true;
      return;
    }
    this.#write(this.#notice);
    this.#notice = '';
    this.#timer = setTimeout(() => (this.#banner.hidden = true), 6 * PATIENCE_MS);
  }

  #countDown(retryAtMs: number): void {
    const seconds = Math.ceil((retryAtMs - Date.now()) / 1000);
    const what = this.#wasOnline ? 'Connection lost.' : 'The server cannot be reached.';
    this.#write(seconds > 1 ? `${what} Trying again in ${seconds} s.` : `${what} Reconnecting …`);
    this.#retry.hidden = seconds <= 1;
    if (seconds > 1) this.#timer = setTimeout(() => this.#countDown(retryAtMs), 1_000);
  }

  #write(text: string): void {
    this.#banner.hidden = false;
    this.#retry.hidden = true;
    // Only what is new: a screen reader says every change.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}
