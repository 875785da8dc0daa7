import type { AnyClient } from './client.js';
import { getEvents } from './event-history.js';
import { NO_ARGS, definedOptions, isDict } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import type { MatchPolicy } from './policies.js';
import type { EventFacts } from './subscription-event.js';

/* The procedures that routers serve themselves, as functions. Spec "Meta API"; keys of Details are left as they are. */

export interface KillOptions {
  /** A URI, `wamp.close.killed` unless given. */
  readonly reason?: string;
  readonly message?: string;
}

export interface MatchOptions {
  readonly match?: MatchPolicy;
}

export interface IdsByPolicy {
  readonly exact: readonly number[];
  readonly prefix: readonly number[];
  readonly wildcard: readonly number[];
}

export interface SessionMeta {
  count(authRoles?: readonly string[]): Promise<number>;
  list(authRoles?: readonly string[]): Promise<readonly number[]>;
  get(session: number): Promise<Dict>;
  kill(session: number, options?: KillOptions): Promise<void>;
  killByAuthId(authId: string, options?: KillOptions): Promise<readonly number[]>;
  killByAuthRole(authRole: string, options?: KillOptions): Promise<number>;
  killAll(options?: KillOptions): Promise<number>;
}

export interface RegistrationMeta {
  list(): Promise<IdsByPolicy>;
  lookup(uri: string, options?: MatchOptions): Promise<number | null>;
  match(uri: string): Promise<number | null>;
  get(id: number): Promise<Dict>;
  listCallees(id: number): Promise<readonly number[]>;
  countCallees(id: number): Promise<number>;
}

export interface SubscriptionMeta {
  list(): Promise<IdsByPolicy>;
  lookup(uri: string, options?: MatchOptions): Promise<number | null>;
  match(uri: string): Promise<readonly number[] | null>;
  get(id: number): Promise<Dict>;
  listSubscribers(id: number): Promise<readonly number[]>;
  countSubscribers(id: number): Promise<number>;
  /** Keys of `filter` as the specification has them: `limit`, `reverse`, `after_publication`, `from_time`, ... */
  events(id: number, filter?: Dict): Promise<readonly EventFacts[]>;
}

export interface Meta {
  readonly sessions: SessionMeta;
  readonly registrations: RegistrationMeta;
  readonly subscriptions: SubscriptionMeta;
}

type Ask = <Value>(procedure: string, args?: Args, kwargs?: Kwargs) => Promise<Value>;

/** `await meta(client).sessions.count()` */
export function meta(client: AnyClient): Meta {
  const ask: Ask = async <Value>(procedure: string, args: Args = NO_ARGS, kwargs?: Kwargs) =>
    (await client.call(`wamp.${procedure}`, args, { kwargs })) as Value;
  return {
    sessions: sessionMeta(ask),
    registrations: registrationMeta(ask),
    subscriptions: subscriptionMeta(ask, client),
  };
}

const optional = (value: unknown): Args => (value === undefined ? NO_ARGS : [value]);
const killing = ({ reason, message }: KillOptions = {}): Kwargs => definedOptions({ reason, message });

function sessionMeta(ask: Ask): SessionMeta {
  return {
    count: async (roles) => await ask('session.count', optional(roles)),
    list: async (roles) => await ask('session.list', optional(roles)),
    get: async (session) => await ask('session.get', [session]),
    kill: async (session, options) => await ask('session.kill', [session], killing(options)),
    killByAuthId: async (authId, options) => await ask('session.kill_by_authid', [authId], killing(options)),
    killByAuthRole: async (role, options) => await ask('session.kill_by_authrole', [role], killing(options)),
    killAll: async (options) => await ask('session.kill_all', NO_ARGS, killing(options)),
  };
}

function registrationMeta(ask: Ask): RegistrationMeta {
  return {
    list: async () => await ask('registration.list'),
    lookup: async (uri, options) => await ask('registration.lookup', [uri, ...optional(options)]),
    match: async (uri) => await ask('registration.match', [uri]),
    get: async (id) => await ask('registration.get', [id]),
    listCallees: async (id) => await ask('registration.list_callees', [id]),
    countCallees: async (id) => await ask('registration.count_callees', [id]),
  };
}

function subscriptionMeta(ask: Ask, client: AnyClient): SubscriptionMeta {
  return {
    list: async () => await ask('subscription.list'),
    lookup: async (uri, options) => await ask('subscription.lookup', [uri, ...optional(options)]),
    match: async (uri) => await ask('subscription.match', [uri]),
    get: async (id) => await ask('subscription.get', [id]),
    listSubscribers: async (id) => await ask('subscription.list_subscribers', [id]),
    countSubscribers: async (id) => await ask('subscription.count_subscribers', [id]),
    events: async (id, filter) => await getEvents(client, id, filter),
  };
}

export type TestamentScope = 'destroyed' | 'detached';

export interface TestamentOptions {
  readonly kwargs?: Kwargs;
  readonly scope?: TestamentScope;
  /** Options of the PUBLISH that will be made. */
  readonly publishOptions?: Dict;
}

export interface Testament {
  /** Has the router publish an event when this session is gone. */
  add(topic: string, args?: Args, options?: TestamentOptions): Promise<void>;
  /** Takes back what was added. */
  flush(scope?: TestamentScope): Promise<void>;
}

/** `await testament(client).add('com.app.left', ['ada'])` */
export function testament(client: AnyClient): Testament {
  return {
    add: async (topic, args = NO_ARGS, { kwargs = {}, scope, publishOptions } = {}) => {
      const options = definedOptions({
        scope,
        publish_options: isDict(publishOptions) ? publishOptions : undefined,
      });
      await client.call('wamp.session.add_testament', [topic, args, kwargs], { kwargs: options });
    },
    flush: async (scope) => {
      await client.call('wamp.session.flush_testaments', NO_ARGS, { kwargs: definedOptions({ scope }) });
    },
  };
}
