import { BaseError, isSessionLoss } from './errors.js';
import type { Link } from './link.js';
import type { Message } from './message.js';
import * as MessageType from '../messages/message-type.js';
import { numberIn, textIn } from './payload.js';
import type { Dict } from './payload.js';

/** What the router holds for a client under an id: a registration or a subscription. Stays what it is when the connection comes back. */
export class Holding<Options = unknown, Callback = unknown> implements AsyncDisposable {
  readonly uri: string;
  readonly callback: Callback;
  readonly options: Options;
  /** Of this session; `undefined` while there is none, and after it has ended. */
  id: number | undefined;
  /** Whether it still stands, be it that it must be restored first. */
  isActive = true;
  readonly #owner: HoldingOwner;

  constructor(owner: HoldingOwner, uri: string, callback: Callback, options: Options) {
    this.#owner = owner;
    this.uri = uri;
    this.callback = callback;
    this.options = options;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owner.end(this);
  }
}

interface HoldingOwner {
  end(holding: Holding): Promise<void>;
}

/** How registrations differ from subscriptions. What answers `begins`, what ends it and the answer to that have the codes behind it. */
export interface HoldingKind<H extends Holding> {
  readonly begins: typeof MessageType.subscribe | typeof MessageType.register;
  readonly uriKey: 'topic' | 'procedure';
  readonly idKey: 'subscription' | 'registration';
  readonly Handle: new (
    ...parameters: ConstructorParameters<typeof Holding<H['options'], H['callback']>>
  ) => H;
  readonly toDict: (options: H['options']) => Dict;
}

/** All registrations, or all subscriptions, of a client. */
export class Holdings<H extends Holding> {
  protected readonly link: Link;
  readonly #kind: HoldingKind<H>;
  readonly all = new Set<H>();
  /** All subscriptions of a client to one topic have one id, which ends with the last of them; registrations may share one, too. */
  readonly #byId = new Map<number, readonly H[]>();

  constructor(link: Link, kind: HoldingKind<H>) {
    this.link = link;
    this.#kind = kind;
  }

  /** Asks the router for another one, at once. */
  async open(uri: string, callback: H['callback'], options: H['options']): Promise<H> {
    const holding = new this.#kind.Handle(this, uri, callback, options);
    await this.begin(holding);
    return holding;
  }

  /** Those with the id, the latest last. The list stays as it is when others come and go. */
  withId(id: number): readonly H[] {
    return this.#byId.get(id) ?? [];
  }

  protected begin(holding: H): Promise<void> {
    const { begins: type, uriKey, idKey, toDict } = this.#kind;
    // Of keys that are chosen at run time the compiler cannot tell that they make up this message and its answer.
    return this.link.ask(
      type + 1,
      (request) =>
        ({ type, request, options: toDict(holding.options), [uriKey]: holding.uri }) as unknown as Message,
      (answer) => this.#installed(holding, (answer as unknown as Record<string, number>)[idKey]!),
    );
  }

  async end(holding: Holding): Promise<void> {
    if (!holding.isActive) return;
    holding.isActive = false;
    this.all.delete(holding as H);
    await this.#release(holding);
  }

  idsOf(uri: string): readonly number[] {
    const ids = this.#of(uri).map(({ id }) => id);
    return [...new Set(ids)].filter((id) => id !== undefined).sort((a, b) => a - b);
  }

  /** Ends those of a URI, or the one with the id. Rejects with BaseError NOT_FOUND if there is none. */
  async endAll(uri: string, id: number | undefined): Promise<void> {
    const found = this.#of(uri).filter((holding) => id === undefined || holding.id === id);
    if (found.length === 0) throw new BaseError('NOT_FOUND', `no ${this.#kind.idKey} ${id ?? ''} of ${uri}`);
    await Promise.all(found.map((holding) => this.end(holding)));
  }

  /** UNREGISTERED or UNSUBSCRIBED with request 0: the router has taken it away. */
  revoked(details: Dict): void {
    const id = numberIn(details, this.#kind.idKey);
    if (id === undefined) return;
    for (const holding of this.withId(id)) {
      holding.isActive = false;
      holding.id = undefined;
      this.all.delete(holding);
      const reason = textIn(details, 'reason') ?? 'no reason given';
      this.link.onError(new BaseError('NOT_FOUND', `${holding.uri} was revoked: ${reason}`));
    }
    this.#byId.delete(id);
  }

  sessionLost(): void {
    this.#byId.clear();
    for (const holding of this.all) holding.id = undefined;
  }

  /** Asks anew for what was held in a session that is gone. */
  async restore(): Promise<void> {
    const lost = [...this.all];
    this.all.clear();
    await Promise.all(
      lost.map(async (holding) => {
        try {
          await this.restoreOne(holding);
        } catch (error) {
          // If the connection was lost again, it is restored with the next one.
          if (isSessionLoss(error)) this.all.add(holding);
          else holding.isActive = false;
          this.link.onError(error);
        }
      }),
    );
  }

  protected restoreOne(holding: H): Promise<void> {
    return this.begin(holding);
  }

  #of(uri: string): readonly H[] {
    return [...this.all].filter((holding) => holding.uri === uri);
  }

  #installed(holding: H, id: number): void {
    holding.id = id;
    this.#byId.set(id, [...this.withId(id), holding]);
    if (holding.isActive) this.all.add(holding);
    // It was ended while it was being restored.
    else this.link.guard(() => this.#release(holding));
  }

  /** Gives the id back, unless another one has it, too. */
  async #release(holding: Holding): Promise<void> {
    const { id } = holding;
    holding.id = undefined;
    if (id === undefined) return;
    const left = this.withId(id).filter((other) => other !== holding);
    if (left.length > 0) this.#byId.set(id, left);
    else {
      this.#byId.delete(id);
      const { begins, idKey } = this.#kind;
      await this.link.ask(begins + 3, (request) => ({ type: begins + 2, request, [idKey]: id }) as Message);
    }
  }
}
