import type { Dict } from '../messages/message.js';
import type { Session } from './session.js';

/**
 * Who may get an event: the six lists of PUBLISH.Options, all of which have to agree. A list of eligible ones that is
 * there and empty lets nobody through.
 */
export class ReceiverFilter {
  readonly #exclude: ReadonlySet<unknown>;
  readonly #excludeAuthids: ReadonlySet<unknown>;
  readonly #excludeRoles: ReadonlySet<unknown>;
  readonly #eligible: ReadonlySet<unknown> | undefined;
  readonly #eligibleAuthids: ReadonlySet<unknown> | undefined;
  readonly #eligibleRoles: ReadonlySet<unknown> | undefined;
  /** Whether it names sessions: what only some sessions may see is no history for others. */
  readonly namesSessions: boolean;

  private constructor(options: Dict) {
    this.#exclude = setOf(options['exclude']) ?? NOBODY;
    this.#excludeAuthids = setOf(options['exclude_authid']) ?? NOBODY;
    this.#excludeRoles = setOf(options['exclude_authrole']) ?? NOBODY;
    this.#eligible = setOf(options['eligible']);
    this.#eligibleAuthids = setOf(options['eligible_authid']);
    this.#eligibleRoles = setOf(options['eligible_authrole']);
    this.namesSessions = this.#exclude.size > 0 || this.#eligible !== undefined;
  }

  /** Octets that keeping it costs, about. */
  get roughBytes(): number {
    const lists = [this.#exclude, this.#excludeAuthids, this.#excludeRoles];
    const others = [this.#eligible, this.#eligibleAuthids, this.#eligibleRoles];
    let bytes = 0;
    for (const list of [...lists, ...others]) {
      for (const name of list ?? NOBODY) bytes += ENTRY_BYTES + (typeof name === 'string' ? name.length : 0);
    }
    return bytes;
  }

  /** Undefined when everybody may get it. Expects options that were checked. */
  static of(options: Dict): ReceiverFilter | undefined {
    for (const key of LISTS) if (options[key] !== undefined) return new ReceiverFilter(options);
    return undefined;
  }

  accepts({ session, authid, authrole }: Session): boolean {
    if (this.#exclude.has(session) || this.#excludeAuthids.has(authid) || this.#excludeRoles.has(authrole)) {
      return false;
    }
    if (this.#eligible?.has(session) === false || this.#eligibleAuthids?.has(authid) === false) return false;
    return this.#eligibleRoles?.has(authrole) !== false;
  }
}

// A number or a short text in a Set.
const ENTRY_BYTES = 48;
const NOBODY: ReadonlySet<unknown> = new Set();
const LISTS = [
  'exclude',
  'exclude_authid',
  'exclude_authrole',
  'eligible',
  'eligible_authid',
  'eligible_authrole',
] as const;

function setOf(list: unknown): ReadonlySet<unknown> | undefined {
  return Array.isArray(list) ? new Set<unknown>(list) : undefined;
}
