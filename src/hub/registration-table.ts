import { chooseByKey } from './choose-by-key.js';
import { type MatchPolicy, PatternIndex } from './pattern-index.js';

export type InvokePolicy = 'single' | 'roundrobin' | 'random' | 'first' | 'last';

/** Somebody who serves a procedure, and how much of it. */
export interface Server<M> {
  readonly member: M;
  /** Calls at the same time; Infinity if it does not mind. */
  readonly concurrency: number;
  readonly disclose: boolean;
  readonly forwardTimeout: boolean;
  /** Calls under way. */
  inFlight: number;
}

export type ServerOptions = Omit<Server<unknown>, 'member' | 'inFlight'>;

/** Everybody who serves one pattern of procedures. */
export class Registration<M> {
  readonly id: number;
  readonly uri: string;
  readonly match: MatchPolicy;
  readonly invoke: InvokePolicy;
  /** Microseconds since the Unix epoch. */
  readonly createdMicros: number;
  /** In the order of registration. */
  readonly servers: Server<M>[] = [];
  #turn = 0;

  constructor(id: number, uri: string, match: MatchPolicy, invoke: InvokePolicy, createdMicros: number) {
    this.id = id;
    this.uri = uri;
    this.match = match;
    this.invoke = invoke;
    this.createdMicros = createdMicros;
  }

  /** Whose turn it is, by policy, among those that can take one more call and that `isFit`. */
  choose(random: () => number, isFit: (server: Server<M>) => boolean): Server<M> | undefined {
    const { servers, invoke } = this;
    const count = servers.length;
    let at = 0;
    if (invoke === 'roundrobin') at = this.#turn % count;
    else if (invoke === 'random') at = Math.floor(random() * count);
    else if (invoke === 'last') at = count - 1;
    const step = invoke === 'last' ? count - 1 : 1;
    for (let tried = 0; tried < count; tried++, at = (at + step) % count) {
      const server = servers[at]!;
      if (server.inFlight >= server.concurrency || !isFit(server)) continue;
      this.#turn = at + 1;
      return server;
    }
    return undefined;
  }

  /** The server that `key` belongs to, among those that `isFit`. It stays the same as long as that is there. */
  chooseByKey(
    key: string,
    nameOf: (member: M) => string,
    isFit: (server: Server<M>) => boolean,
  ): Server<M> | undefined {
    return chooseByKey(key, this.servers.filter(isFit), ({ member }) => nameOf(member));
  }

  serverOf(member: M): Server<M> | undefined {
    return this.servers.find((server) => server.member === member);
  }
}

export type Registering<M> =
  | { readonly kind: 'registered'; readonly registration: Registration<M>; readonly isFirst: boolean }
  /** Somebody has it alone, or shares it by another policy, or this member has it already. */
  | { readonly kind: 'taken'; readonly registration: Registration<M> };

/** Registrations by pattern and by id. */
export class RegistrationTable<M> {
  readonly index = new PatternIndex<Registration<M>>();
  readonly #byId = new Map<number, Registration<M>>();
  #lastId = 0;

  get(id: number): Registration<M> | undefined {
    return this.#byId.get(id);
  }

  add(
    member: M,
    uri: string,
    match: MatchPolicy,
    invoke: InvokePolicy,
    options: ServerOptions,
    nowMicros: number,
  ): Registering<M> {
    let registration = this.index.get(uri, match);
    const isFirst = registration === undefined;
    if (registration !== undefined) {
      const isShared = registration.invoke === invoke && invoke !== 'single';
      if (!isShared || registration.serverOf(member) !== undefined) return { kind: 'taken', registration };
    } else {
      registration = new Registration(++this.#lastId, uri, match, invoke, nowMicros);
      this.index.add(registration);
      this.#byId.set(registration.id, registration);
    }
    registration.servers.push({ ...options, member, inFlight: 0 });
    return { kind: 'registered', registration, isFirst };
  }

  /** Whether it was the last server; undefined if `member` was none. */
  remove(member: M, registration: Registration<M>): { readonly isLast: boolean } | undefined {
    const at = registration.servers.findIndex((server) => server.member === member);
    if (at < 0) return undefined;
    registration.servers.splice(at, 1);
    const isLast = registration.servers.length === 0;
    if (isLast) {
      this.index.remove(registration);
      this.#byId.delete(registration.id);
    }
    return { isLast };
  }
}
