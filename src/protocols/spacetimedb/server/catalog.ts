import type { Identity } from '../../../values/identity.js';
import type { DatabaseRuntime } from './runtime.js';

/** A program to run as a database. */
export interface PublishRequest {
  /** The database to update, or undefined to make one. */
  readonly target: DatabaseRuntime | undefined;
  /** The name of a new database; undefined for a database without one. Free and valid (`isDatabaseName`). */
  readonly name: string | undefined;
  /** Owns a new database. May publish: the route has asked `mayCreate` or compared with the owner. */
  readonly publisher: Identity;
  /** The module as one ECMAScript module; undefined to keep the present one (only with `clear`). */
  readonly program: string | undefined;
  /** Throw the data away. Without it a program whose tables differ is refused. */
  readonly clear: boolean;
}

export type PublishResult =
  | { readonly kind: 'created'; readonly database: DatabaseRuntime }
  | { readonly kind: 'updated'; readonly database: DatabaseRuntime }
  /** The tables changed: `reason` says what, and that `clear` would do it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The program does not load, or its `init` failed. Nothing has changed. */
  | { readonly kind: 'failed'; readonly reason: string };

export type RenameResult =
  | { readonly kind: 'renamed' }
  /** Another database has this name. */
  | { readonly kind: 'taken'; readonly name: string };

/** All databases of the server. The composition root implements it. */
export interface Catalog {
  /** In the order of their creation. */
  readonly databases: Iterable<DatabaseRuntime>;
  findByName(name: string): DatabaseRuntime | undefined;
  findByIdentity(identity: Identity): DatabaseRuntime | undefined;
  /** Whether `identity` may create databases: the server's owner, or everybody on a server that is open. */
  mayCreate(identity: Identity): boolean;
  publish(request: PublishRequest): Promise<PublishResult>;
  /** Closes its connections (1001) and forgets its data. */
  delete(database: DatabaseRuntime): Promise<void>;
  /** Replaces all names. They are valid. */
  setNames(database: DatabaseRuntime, names: readonly string[]): Promise<RenameResult>;
}

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const IDENTITY = /^(0x)?[0-9a-fA-F]{64}$/;
// Ours: what fits a DNS label twice over; the reference server states no limit.
const NAME_LENGTH_MAX = 128;

/** Whether a text is the hexadecimal form of an identity. */
export function isIdentityText(text: string): boolean {
  return IDENTITY.test(text);
}

/** Whether a database may have this name: lower-case letters and digits, single hyphens inside. */
export function isDatabaseName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && NAME.test(text) && !isIdentityText(text);
}
