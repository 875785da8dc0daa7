import type { Dict } from '../../messages/message.js';
import type { Payload } from '../../messages/payload.js';
import { isUri, Uris } from '../../messages/uri.js';
import type { Realm } from '../realm.js';
import { Refusal } from '../refusal.js';
import type { Session } from '../session.js';
import { answer, checkAdmin, idArgument, type MetaTable, textArgument } from './meta-procedures.js';

/** `wamp.session.*`: who is here, and sending them away. The caller never sends itself away. */
export function sessionProcedures(realm: Realm): MetaTable {
  const withRoles = (roles: unknown): Session[] => {
    const sessions = [...realm.sessions.values()];
    if (roles === undefined || roles === null) return sessions;
    if (!Array.isArray(roles)) throw new Refusal(Uris.invalidArgument, 'roles are a list of strings');
    return sessions.filter(({ authrole }) => roles.includes(authrole));
  };
  const killAll = (
    caller: Session,
    kwargs: Dict,
    isMeant: (session: Session) => boolean,
    isQuiet = false,
  ): number[] => {
    checkAdmin(realm, caller);
    const { reason, message } = readGoodbye(kwargs);
    const victims = [...realm.sessions.values()].filter((other) => other !== caller && isMeant(other));
    for (const victim of victims) victim.kick(reason, message, isQuiet);
    return victims.map(({ session }) => session);
  };
  return {
    'wamp.session.count': (_caller, args, kwargs) => answer(withRoles(rolesOf(args, kwargs)).length),
    'wamp.session.list': (_caller, args, kwargs) =>
      answer(withRoles(rolesOf(args, kwargs)).map(({ session }) => session)),
    'wamp.session.get': (_caller, args): Payload => {
      const id = idArgument(args);
      const session = realm.sessions.get(id) ?? realm.residents.get(id);
      if (session === undefined) throw new Refusal(Uris.noSuchSession);
      return answer(session.describe());
    },
    'wamp.session.kill': (caller, args, kwargs): Payload => {
      const id = idArgument(args);
      if (killAll(caller, kwargs, ({ session }) => session === id).length === 0) {
        throw new Refusal(Uris.noSuchSession);
      }
      return answer(null);
    },
    'wamp.session.kill_by_authid': (caller, args, kwargs) => {
      const authid = textArgument(args);
      return answer(killAll(caller, kwargs, (other) => other.authid === authid));
    },
    'wamp.session.kill_by_authrole': (caller, args, kwargs) => {
      const role = textArgument(args);
      return answer(killAll(caller, kwargs, ({ authrole }) => authrole === role).length);
    },
    // The specification wants no events and no testaments of this one: nobody is left to hear them.
    'wamp.session.kill_all': (caller, _args, kwargs) =>
      answer(killAll(caller, kwargs, () => true, true).length),
  };
}

function rolesOf(args: readonly unknown[], kwargs: Dict): unknown {
  return args[0] ?? kwargs['filter_authroles'];
}

function readGoodbye(kwargs: Dict): { readonly reason: string; readonly message: string | undefined } {
  const reason = kwargs['reason'] ?? Uris.closeKilled;
  if (typeof reason !== 'string' || !isUri(reason)) throw new Refusal(Uris.invalidUri, 'reason is no URI');
  const message = kwargs['message'];
  return { reason, message: typeof message === 'string' ? message : undefined };
}
