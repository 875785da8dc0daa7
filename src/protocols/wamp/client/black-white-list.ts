import { definedOptions } from './payload.js';
import { listOptions } from './publish-options.js';
import type { Dict } from './payload.js';

export interface BlackWhiteListInit {
  readonly excludedIds?: Iterable<number> | undefined;
  readonly excludedAuthIds?: Iterable<string> | undefined;
  readonly excludedAuthRoles?: Iterable<string> | undefined;
  readonly eligibleIds?: Iterable<number> | undefined;
  readonly eligibleAuthIds?: Iterable<string> | undefined;
  readonly eligibleAuthRoles?: Iterable<string> | undefined;
}

/** A receiver, as far as lists can tell him from others. */
export interface Receiver {
  readonly sessionId?: number;
  readonly authId?: string;
  readonly authRole?: string;
}

/** Something to name a receiver by: a session id (number), or an authid or authrole (text). */
type Name = number | string;

/**
 * Who may receive an event. A list of eligible names, once there is one, keeps out everybody whom it does not name; all six lists
 * must agree.
 */
export class BlackWhiteList {
  readonly excludedIds: Set<number>;
  readonly excludedAuthIds: Set<string>;
  readonly excludedAuthRoles: Set<string>;
  /** `undefined` is not the empty list, for which nobody is eligible. */
  eligibleIds: Set<number> | undefined;
  eligibleAuthIds: Set<string> | undefined;
  eligibleAuthRoles: Set<string> | undefined;

  constructor(init: BlackWhiteListInit = {}) {
    this.excludedIds = new Set(init.excludedIds);
    this.excludedAuthIds = new Set(init.excludedAuthIds);
    this.excludedAuthRoles = new Set(init.excludedAuthRoles);
    this.eligibleIds = init.eligibleIds && new Set(init.eligibleIds);
    this.eligibleAuthIds = init.eligibleAuthIds && new Set(init.eligibleAuthIds);
    this.eligibleAuthRoles = init.eligibleAuthRoles && new Set(init.eligibleAuthRoles);
  }

  /** The lists that stand in the options of a PUBLISH. */
  static fromOptions(options: Dict): BlackWhiteList {
    const list = <Item>(key: string): Iterable<Item> | undefined =>
      Array.isArray(options[key]) ? (options[key] as Item[]) : undefined;
    return new BlackWhiteList(
      definedOptions({
        excludedIds: list('exclude'),
        excludedAuthIds: list('exclude_authid'),
        excludedAuthRoles: list('exclude_authrole'),
        eligibleIds: list('eligible'),
        eligibleAuthIds: list('eligible_authid'),
        eligibleAuthRoles: list('eligible_authrole'),
      }),
    );
  }

  /** The lists as options of a PUBLISH; those that keep nobody out are absent. */
  toOptions(): Dict {
    return listOptions(this);
  }

  /** Whether no list keeps anybody out. */
  get isEmpty(): boolean {
    return Object.keys(this.toOptions()).length === 0;
  }

  /** Whether the name stands in a list of excluded ones. */
  isExcluded(name: Name): boolean {
    if (typeof name === 'number') return this.excludedIds.has(name);
    return this.excludedAuthIds.has(name) || this.excludedAuthRoles.has(name);
  }

  /** Whether no list of eligible names that could hold it leaves the name out. */
  isEligible(name: Name): boolean {
    if (typeof name === 'number') return this.eligibleIds?.has(name) ?? true;
    const lists = [this.eligibleAuthIds, this.eligibleAuthRoles].filter((names) => names !== undefined);
    return lists.length === 0 || lists.some((names) => names.has(name));
  }

  /** Whether somebody of that name is let through. */
  has(name: Name): boolean {
    return this.isEligible(name) && !this.isExcluded(name);
  }

  /** Whether the router would deliver to this receiver. */
  admits(receiver: Receiver): boolean {
    const { sessionId, authId, authRole } = receiver;
    return (
      passes(sessionId, this.excludedIds, this.eligibleIds) &&
      passes(authId, this.excludedAuthIds, this.eligibleAuthIds) &&
      passes(authRole, this.excludedAuthRoles, this.eligibleAuthRoles)
    );
  }

  excludeSessionId(id: number): this {
    this.excludedIds.add(id);
    return this;
  }

  excludeAuthId(authId: string): this {
    this.excludedAuthIds.add(authId);
    return this;
  }

  excludeAuthRole(authRole: string): this {
    this.excludedAuthRoles.add(authRole);
    return this;
  }

  /** Takes a name off the lists of excluded ones. */
  unexclude(name: Name): this {
    if (typeof name === 'number') this.excludedIds.delete(name);
    else {
      this.excludedAuthIds.delete(name);
      this.excludedAuthRoles.delete(name);
    }
    return this;
  }

  allowSessionId(id: number): this {
    (this.eligibleIds ??= new Set()).add(id);
    return this;
  }

  allowAuthId(authId: string): this {
    (this.eligibleAuthIds ??= new Set()).add(authId);
    return this;
  }

  allowAuthRole(authRole: string): this {
    (this.eligibleAuthRoles ??= new Set()).add(authRole);
    return this;
  }

  /** Takes a name off the lists of eligible ones; a list that it leaves empty admits nobody. */
  disallow(name: Name): this {
    if (typeof name === 'number') this.eligibleIds?.delete(name);
    else {
      this.eligibleAuthIds?.delete(name);
      this.eligibleAuthRoles?.delete(name);
    }
    return this;
  }
}

function passes<Item>(
  name: Item | undefined,
  excluded: ReadonlySet<Item>,
  eligible: ReadonlySet<Item> | undefined,
): boolean {
  if (name === undefined) return eligible === undefined;
  return !excluded.has(name) && (eligible === undefined || eligible.has(name));
}
