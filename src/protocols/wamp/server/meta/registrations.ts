import type { Registration } from '../../../../hub/registration-table.js';
import type { MatchPolicy } from '../../../../hub/pattern-index.js';
import type { Dict } from '../../messages/message.js';
import { Uris } from '../../messages/uri.js';
import { describeRegistration } from '../registrar.js';
import type { Realm } from '../realm.js';
import { Refusal } from '../refusal.js';
import type { Session } from '../session.js';
import { answer, checkAdmin, idArgument, type MetaTable, textArgument } from './meta-procedures.js';

/** `wamp.registration.*`: which procedures there are, and who serves them. */
export function registrationProcedures(realm: Realm): MetaTable {
  const table = realm.registrar.table;
  const find = (args: readonly unknown[]): Registration<Session> => {
    const registration = table.get(idArgument(args));
    if (registration === undefined) throw new Refusal(Uris.noSuchRegistration);
    return registration;
  };
  const ids = (match: MatchPolicy): number[] => Array.from(table.index.list(match), ({ id }) => id);
  return {
    'wamp.registration.list': () =>
      answer({ exact: ids('exact'), prefix: ids('prefix'), wildcard: ids('wildcard') }),
    'wamp.registration.lookup': (_caller, args) =>
      answer(table.index.get(textArgument(args), readMatch(args[1]))?.id ?? null),
    'wamp.registration.match': (_caller, args) =>
      answer(table.index.findBest(textArgument(args))?.id ?? null),
    'wamp.registration.get': (_caller, args) => answer(describeRegistration(find(args))),
    'wamp.registration.list_callees': (_caller, args) =>
      answer(find(args).servers.map(({ member }) => member.session)),
    'wamp.registration.count_callees': (_caller, args) => answer(find(args).servers.length),
    'wamp.registration.remove_callee': (caller, args, kwargs) => {
      checkAdmin(realm, caller);
      const registration = find(args);
      const server = registration.servers.find(({ member }) => member.session === args[1]);
      if (server === undefined) throw new Refusal(Uris.noSuchSession);
      realm.registrar.revoke(server.member, registration, readReason(kwargs));
      return answer(null);
    },
  };
}

/** The options of a lookup. */
export function readMatch(options: unknown): MatchPolicy {
  const match = (options as Dict | null | undefined)?.['match'] ?? 'exact';
  if (match === 'exact' || match === 'prefix' || match === 'wildcard') return match;
  throw new Refusal(Uris.invalidArgument, 'match is exact, prefix or wildcard');
}

export function readReason(kwargs: Dict): string {
  const { reason } = kwargs;
  return typeof reason === 'string' ? reason : 'wamp.close.revoked';
}
