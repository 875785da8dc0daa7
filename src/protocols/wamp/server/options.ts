import type { Clock } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { MatchPolicy } from '../../../hub/pattern-index.js';
import type { HistoryLimits } from '../../../hub/event-history.js';
import type { Dict } from '../messages/message.js';
import type { Authenticator } from './auth/authenticator.js';
import type { Realm } from './realm.js';

export type Action = 'call' | 'register' | 'publish' | 'subscribe';

/** Who a session is. */
export interface SessionInfo {
  readonly session: number;
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authprovider: string;
  readonly authextra: Dict;
  /** What the authenticator wants the embedding application to know. */
  readonly context: unknown;
}

export interface AuthorizationRequest {
  readonly session: SessionInfo;
  readonly action: Action;
  readonly uri: string;
  /** `exact` for calls and publications. */
  readonly match: MatchPolicy;
  readonly options: Dict;
}

export interface Authorization {
  readonly allow: boolean;
  /** Tells callees and subscribers who it is, whatever the client asked for. */
  readonly disclose?: boolean;
  /** Details.trustlevel of the invocation or the event. */
  readonly trustLevel?: number;
  /** How long this answer holds for the same session, action, match and uri. Default 0: ask again. */
  readonly cacheMs?: number;
}

/** Decides on every action of a realm, before anything is looked up. What it throws is a no. */
export type Authorizer = (
  request: AuthorizationRequest,
) => boolean | Authorization | Promise<boolean | Authorization>;

/** `request`: when the client asks for it. `never`: asking is refused. */
export type DisclosurePolicy = 'request' | 'always' | 'never';

export interface HistoryRule extends Partial<HistoryLimits> {
  readonly uri: string;
  /** Default `exact`. */
  readonly match?: MatchPolicy;
}

export interface RealmOptions {
  /** Only `[0-9a-z_]` in components. Default false. */
  readonly strictUris?: boolean;
  /** Request ids have to be 1, 2, 3 ...; old clients draw them at random. Default false. */
  readonly strictIds?: boolean;
  readonly authorize?: Authorizer;
  /** Default `request`. */
  readonly discloseCaller?: DisclosurePolicy;
  /** Default `request`. */
  readonly disclosePublisher?: DisclosurePolicy;
  /** Subscriptions whose events are kept for `wamp.subscription.get_events`. */
  readonly history?: readonly HistoryRule[];
  /** Who may use `wamp.session.kill*` and the other procedures that change other sessions. Default: `admin`, `owner`. */
  readonly adminRoles?: readonly string[];
}

export interface RouterLimits {
  /** A longer CALL, PUBLISH, YIELD or ERROR is answered with payload_size_exceeded. */
  readonly messageBytesMax: number;
  /**
   * More than this unsent: events are dropped, progressive results end their call, invocations go elsewhere. More than this of a
   * caller's arguments that modules have not read: its progressive calls end.
   */
  readonly queueBytes: number;
  /** A session that has had no room for an event for so long is sent away. Milliseconds. */
  readonly slowMs: number;
  readonly subscriptionsPerSession: number;
  readonly registrationsPerSession: number;
  /** Calls under way per caller. */
  readonly callsInFlight: number;
  /** Octets of them that the router keeps per caller: options, arguments for another callee, arguments that modules work on. */
  readonly callBytes: number;
  /** Messages that wait while the authorizer makes up its mind; more end the session. */
  readonly waitingMessages: number;
  /** Octets of them. */
  readonly waitingBytes: number;
  readonly testamentsPerSession: number;
  /** Octets of a session's testaments. */
  readonly testamentBytes: number;
  /** Retained events per realm; the oldest make room for others. */
  readonly retainedEvents: number;
  /** Octets of all of them. */
  readonly retainedBytes: number;
  /** From the transport's opening to WELCOME. Milliseconds. */
  readonly joinMs: number;
  /** How long to wait for the answer to our GOODBYE. Milliseconds. */
  readonly goodbyeMs: number;
}

export const routerLimitsDefault: RouterLimits = {
  messageBytesMax: 16 * 1024 * 1024, // what RawSocket can carry
  queueBytes: 4 * 1024 * 1024, // seconds of a busy topic for a slow line; a thousand such peers are 4 GB
  slowMs: 30_000, // as long as a silent peer is waited for
  subscriptionsPerSession: 10_000, // a dashboard has hundreds
  registrationsPerSession: 10_000, // a large service has hundreds
  callsInFlight: 16_384, // some 10 MB of bookkeeping
  callBytes: 64 * 1024 * 1024, // four of the longest
  waitingMessages: 4096, // a turn's worth of small messages
  waitingBytes: 32 * 1024 * 1024, // two of the longest
  testamentsPerSession: 100, // one or two are usual
  testamentBytes: 256 * 1024, // a thousand sessions that use all of it are 256 MB
  retainedEvents: 100_000, // one per topic
  retainedBytes: 64 * 1024 * 1024, // 100,000 of some 600 octets
  joinMs: 10_000, // people do not type during the handshake; slow key derivations take a second
  goodbyeMs: 1000, // one round trip on a bad line
};

export interface RouterOptions {
  /** Realms by name. Others exist only if `openRealm` says so. */
  readonly realms?: Readonly<Record<string, RealmOptions>>;
  /** Asked for the options of a realm that is not there yet; undefined: there is none. Default: there is none. */
  readonly openRealm?: (name: string) => RealmOptions | undefined;
  /** Told of each realm when it opens, before anybody joins it: the place to register procedures of the application. */
  readonly onRealm?: (realm: Realm) => void;
  /** By the name of the method. Default: anonymous only, with the role `anonymous`. */
  readonly auth?: readonly Authenticator[];
  readonly limits?: Partial<RouterLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Told about defects: what hooks throw. */
  readonly onError?: (error: unknown, where: string) => void;
}
