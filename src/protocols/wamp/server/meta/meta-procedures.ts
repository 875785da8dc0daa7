import type { Dict } from '../../messages/message.js';
import { Payload } from '../../messages/payload.js';
import { isId } from '../../messages/ids.js';
import { Uris } from '../../messages/uri.js';
import type { Realm } from '../realm.js';
import { Refusal } from '../refusal.js';
import type { Session } from '../session.js';
import { historyProcedures } from './history.js';
import { registrationProcedures } from './registrations.js';
import { sessionProcedures } from './sessions.js';
import { subscriptionProcedures } from './subscriptions.js';
import { testamentProcedures } from './testaments.js';

/** A procedure of the router itself. Throws Refusal. */
export type MetaProcedure = (session: Session, args: readonly unknown[], kwargs: Dict) => Payload;
export type MetaTable = Readonly<Record<string, MetaProcedure>>;

export function makeMetaProcedures(realm: Realm): ReadonlyMap<string, MetaProcedure> {
  return new Map(
    Object.entries({
      ...sessionProcedures(realm),
      ...registrationProcedures(realm),
      ...subscriptionProcedures(realm),
      ...testamentProcedures(realm),
      ...historyProcedures(realm),
    }),
  );
}

/** One positional result. */
export function answer(value: unknown): Payload {
  return Payload.of([value]);
}

export function idArgument(args: readonly unknown[]): number {
  const id = args[0];
  if (!isId(id)) throw new Refusal(Uris.invalidArgument, 'the first argument is an id');
  return id;
}

export function textArgument(args: readonly unknown[], at = 0): string {
  const text = args[at];
  if (typeof text !== 'string') throw new Refusal(Uris.invalidArgument, `argument ${at + 1} is a string`);
  return text;
}

const ADMIN_ROLES: readonly string[] = ['admin', 'owner'];

/** Procedures that change what belongs to others are for the realm's administrators. */
export function checkAdmin(realm: Realm, session: Session): void {
  const { adminRoles = ADMIN_ROLES } = realm.options;
  if (!adminRoles.includes(session.authrole)) throw new Refusal(Uris.notAuthorized);
}
