import type { HistoryQuery } from '../../../../hub/event-history.js';
import { isId } from '../../messages/ids.js';
import type { Dict } from '../../messages/message.js';
import { Payload } from '../../messages/payload.js';
import { Uris } from '../../messages/uri.js';
import type { KeptEvent } from '../kept-event.js';
import { definedOf } from '../check-options.js';
import type { Realm } from '../realm.js';
import { Refusal } from '../refusal.js';
import { answer, idArgument, type MetaTable } from './meta-procedures.js';

/** `wamp.subscription.get_events`: what was published to a subscription that is kept. */
export function historyProcedures(realm: Realm): MetaTable {
  return {
    'wamp.subscription.get_events': (session, args, kwargs) => {
      const id = idArgument(args);
      const subscription = realm.broker.subscriptions.get(id);
      if (subscription === undefined) throw new Refusal(Uris.noSuchSubscription);
      const allowed = realm.authorize(session, 'subscribe', subscription.uri, subscription.match, {});
      if (allowed instanceof Promise) {
        allowed.catch(() => {});
        // Whoever is subscribed was allowed to.
        if (!session.subscriptions.has(subscription)) throw new Refusal(Uris.notAuthorized);
      }
      const history = realm.broker.histories.get(id);
      if (history === undefined) return answer([]);
      // Crossbar has the limit as a second argument.
      const query = readQuery(args[1] === undefined ? kwargs : { limit: args[1], ...kwargs });
      const nowMicros = realm.services.clock.nowMicros();
      const events = history.find(query, nowMicros, ({ filter }) => filter?.accepts(session) !== false);
      return Payload.of(events.map((event) => describeEvent(id, event)));
    },
  };
}

function describeEvent(subscription: number, event: KeptEvent): Dict {
  const { payload } = event;
  return definedOf({
    timestamp: new Date(event.atMicros / 1000).toISOString(),
    subscription,
    publication: event.publication,
    details: event.details,
    args: payload.args.length === 0 ? undefined : payload.args,
    kwargs: payload.hasKwargs ? payload.kwargs : undefined,
  });
}

function readQuery(kwargs: Dict): HistoryQuery {
  const refuse = (key: string): never => {
    throw new Refusal(Uris.invalidArgument, `${key} has a value of the wrong type`);
  };
  const time = (key: string): number | undefined => {
    const value = kwargs[key];
    if (value === undefined) return undefined;
    const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? refuse(key) : ms * 1000;
  };
  const id = (key: string): number | undefined => {
    const value = kwargs[key];
    return value === undefined || isId(value) ? value : refuse(key);
  };
  const { reverse, limit, topic } = kwargs;
  if (reverse !== undefined && typeof reverse !== 'boolean') refuse('reverse');
  if (topic !== undefined && typeof topic !== 'string') refuse('topic');
  return {
    reverse: reverse as boolean | undefined,
    limit: limit === 0 ? 0 : id('limit'),
    topic: topic as string | undefined,
    fromMicros: time('from_time'),
    afterMicros: time('after_time'),
    beforeMicros: time('before_time'),
    untilMicros: time('until_time'),
    fromPublication: id('from_publication'),
    afterPublication: id('after_publication'),
    beforePublication: id('before_publication'),
    untilPublication: id('until_publication'),
  };
}
