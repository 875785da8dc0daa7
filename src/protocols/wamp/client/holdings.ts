import { BaseError, isSessionLoss } from './errors.js';
import type { Link } from './link.js';
import type { Message } from './message.js';
import { numberIn, textIn } from './payload.js';
import type { Dict } from './payload.js';
import type { Answer } from './pending.js';

/** What the router holds for a client under an id: a registration or a subscription. Stays what it is when the connection comes back. */
export abstract class Holding implements AsyncDisposable {
  readonly uri: string;
  /** Of this session; `undefined` while there is none, and after it has ended. */
  id: number | undefined;
  /** Whether it still stands, be it that it must be restored first. */
  isActive = true;

  constructor(uri: string) {
    this.uri = uri;
  }

  abstract [Symbol.asyncDispose](): Promise<void>;
}

/** How registrations differ from subscriptions, on the wire and in texts. */
export interface HoldingKind<H extends Holding> {
  readonly begins: (request: number, holding: H) => Message;
  readonly begun: Answer['type'];
  /** The id that the answer gives. */
  readonly idOf: (answer: Answer) => number;
  readonly ends: (request: number, id: number) => Message;
  readonly ended: Answer['type'];
  /** `registration`: the key of its id in a revocation. */
  readonly noun: string;
}

/** All registrations, or all subscriptions, of a client. */
export class Holdings<H extends Holding> {
  readonly #link: Link;
  readonly #kind: HoldingKind<H>;
  readonly #all = new Set<H>();
  /** All subscriptions of a client to one topic have one id, which ends with the last of them; registrations may share one, too. */
  readonly #byId = new Map<number, readonly H[]>();

  constructor(link: Link, kind: HoldingKind<H>) {
    this.#link = link;
    this.#kind = kind;
  }

  [Symbol.iterator](): Iterator<H> {
    return this.#all.values();
  }

  /** Those with the id, the latest last. The list stays as it is when others come and go. */
  withId(id: number): readonly H[] {
    return this.#byId.get(id) ?? [];
  }

  /** Asks the router for it. */
  async begin(holding: H): Promise<void> {
    const { begins, begun, idOf } = this.#kind;
    await this.#ask(
      (request) => begins(request, holding),
      begun,
      (answer) => this.#installed(holding, idOf(answer)),
    );
  }

  async end(holding: H): Promise<void> {
    if (!holding.isActive) return;
    holding.isActive = false;
    this.#all.delete(holding);
    await this.#release(holding);
  }

  idsOf(uri: string): readonly number[] {
    const ids = this.#of(uri).map(({ id }) => id);
    return [...new Set(ids)].filter((id) => id !== undefined).sort((a, b) => a - b);
  }

  /** Ends those of a URI, or the one with the id. Rejects with BaseError NOT_FOUND if there is none. */
  async endAll(uri: string, id: number | undefined): Promise<void> {
    const found = this.#of(uri).filter((holding) => id === undefined || holding.id === id);
    if (found.length === 0) {
      throw new BaseError('NOT_FOUND', `there is no ${this.#kind.noun} ${id ?? ''} of ${uri}`);
    }
    await Promise.all(found.map(async (holding) => await this.end(holding)));
  }

  /** UNREGISTERED or UNSUBSCRIBED with request 0: the router has taken it away. */
  revoked(details: Dict): void {
    const { noun } = this.#kind;
    const id = numberIn(details, noun);
    if (id === undefined) return;
    for (const holding of this.withId(id)) {
      holding.isActive = false;
      holding.id = undefined;
      this.#all.delete(holding);
      const reason = textIn(details, 'reason') ?? 'no reason given';
      this.#link.onError(new BaseError('NOT_FOUND', `the router revoked ${holding.uri}: ${reason}`));
    }
    this.#byId.delete(id);
  }

  sessionLost(): void {
    this.#byId.clear();
    for (const holding of this.#all) holding.id = undefined;
  }

  /** Asks anew for what was held in a session that is gone, each by `restore`. */
  async restore(restore: (holding: H) => Promise<void>): Promise<void> {
    const lost = [...this.#all];
    this.#all.clear();
    await Promise.all(
      lost.map(async (holding) => {
        try {
          await restore(holding);
        } catch (error) {
          // If the connection was lost again, it is restored with the next one.
          if (isSessionLoss(error)) this.#all.add(holding);
          else holding.isActive = false;
          this.#link.onError(error);
        }
      }),
    );
  }

  #of(uri: string): readonly H[] {
    return [...this.#all].filter((holding) => holding.uri === uri);
  }

  #installed(holding: H, id: number): void {
    holding.id = id;
    this.#byId.set(id, [...this.withId(id), holding]);
    if (holding.isActive) this.#all.add(holding);
    // It was ended while it was being restored.
    else this.#release(holding).catch((error: unknown) => this.#link.onError(error));
  }

  /** Gives the id back, unless another one has it, too. */
  async #release(holding: H): Promise<void> {
    const { id } = holding;
    holding.id = undefined;
    if (id === undefined) return;
    const left = this.withId(id).filter((other) => other !== holding);
    if (left.length > 0) this.#byId.set(id, left);
    else {
      this.#byId.delete(id);
      await this.#ask((request) => this.#kind.ends(request, id), this.#kind.ended);
    }
  }

  #ask(
    toMessage: (request: number) => Message,
    expects: Answer['type'],
    answered?: (answer: Answer) => void,
  ): Promise<void> {
    return new Promise((resolve, failed) => {
      this.#link.ask({
        expects,
        toMessage,
        answered: (answer) => {
          answered?.(answer);
          resolve();
        },
        failed,
      });
    });
  }
}
