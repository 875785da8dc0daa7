import type { MatchPolicy } from '../../../../hub/pattern-index.js';
import type { Subscription } from '../../../../hub/subscription-table.js';
import { Uris } from '../../messages/uri.js';
import { describeSubscription } from '../broker.js';
import type { Realm } from '../realm.js';
import { Refusal } from '../refusal.js';
import type { Session } from '../session.js';
import { answer, checkAdmin, idArgument, type MetaTable, textArgument } from './meta-procedures.js';
import { readMatch, readReason } from './registrations.js';

/** `wamp.subscription.*`: what is subscribed to, and by whom. */
export function subscriptionProcedures(realm: Realm): MetaTable {
  const table = realm.broker.subscriptions;
  const find = (args: readonly unknown[]): Subscription<Session> => {
    const subscription = table.get(idArgument(args));
    if (subscription === undefined) throw new Refusal(Uris.noSuchSubscription);
    return subscription;
  };
  const ids = (match: MatchPolicy): number[] => Array.from(table.index.list(match), ({ id }) => id);
  return {
    'wamp.subscription.list': () =>
      answer({ exact: ids('exact'), prefix: ids('prefix'), wildcard: ids('wildcard') }),
    'wamp.subscription.lookup': (_caller, args) =>
      answer(table.index.get(textArgument(args), readMatch(args[1]))?.id ?? null),
    'wamp.subscription.match': (_caller, args) => {
      const found: number[] = [];
      table.index.forEachMatch(textArgument(args), ({ id }) => void found.push(id));
      return answer(found.length === 0 ? null : found);
    },
    'wamp.subscription.get': (_caller, args) => answer(describeSubscription(find(args))),
    'wamp.subscription.list_subscribers': (_caller, args) =>
      answer(Array.from(find(args).members.keys(), ({ session }) => session)),
    'wamp.subscription.count_subscribers': (_caller, args) => answer(find(args).members.size),
    'wamp.subscription.remove_subscriber': (caller, args, kwargs) => {
      checkAdmin(realm, caller);
      const subscription = find(args);
      const member = [...subscription.members.keys()].find(({ session }) => session === args[1]);
      if (member === undefined) throw new Refusal(Uris.noSuchSession);
      realm.broker.revoke(member, subscription, readReason(kwargs));
      return answer(null);
    },
  };
}
