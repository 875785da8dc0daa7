import { isDict } from '../messages/fields.js';
import type { Dict } from '../messages/message.js';

export type Role = 'publisher' | 'subscriber' | 'caller' | 'callee';

const BROKER = [
  'event_history',
  'event_retention',
  'pattern_based_subscription',
  'payload_passthru_mode',
  'publication_trustlevels',
  'publisher_exclusion',
  'publisher_identification',
  'session_meta_api',
  'sharded_subscription',
  'subscriber_blackwhite_listing',
  'subscription_meta_api',
  'subscription_revocation',
] as const;

const DEALER = [
  'call_canceling',
  'call_reroute',
  'call_timeout',
  'call_trustlevels',
  'caller_identification',
  'pattern_based_registration',
  'payload_passthru_mode',
  'progressive_call_invocations',
  'progressive_call_results',
  'registration_meta_api',
  'registration_revocation',
  'session_meta_api',
  'sharded_registration',
  'shared_registration',
  'testament_meta_api',
] as const;

const all = (names: readonly string[]): Dict => Object.fromEntries(names.map((name) => [name, true]));

/** WELCOME.Details.roles: what is announced is implemented, and nothing else is announced. */
export const ROUTER_ROLES: Readonly<Record<'broker' | 'dealer', { readonly features: Dict }>> = {
  broker: { features: all(BROKER) },
  dealer: { features: all(DEALER) },
};

/** What the router asks of clients. Others that they announce are not remembered: there may be any number of them. */
const ASKED = {
  publisher: ['payload_passthru_mode'],
  subscriber: ['subscription_revocation'],
  caller: ['payload_passthru_mode', 'progressive_call_invocations'],
  callee: [
    'call_canceling',
    'call_cancelling',
    'call_timeout',
    'payload_passthru_mode',
    'progressive_call_invocations',
    'progressive_call_results',
    'registration_revocation',
  ],
} as const satisfies Readonly<Record<Role, readonly string[]>>;

type Asked<R extends Role> = (typeof ASKED)[R][number];

/** What a client announced in HELLO. */
export class AnnouncedFeatures {
  readonly #features = new Set<string>();

  constructor(roles: Dict) {
    for (const [role, names] of Object.entries(ASKED)) {
      const announced = roles[role];
      const features = isDict(announced) ? announced['features'] : undefined;
      if (!isDict(features)) continue;
      for (const name of names) if (features[name] === true) this.#features.add(`${role} ${name}`);
    }
  }

  /** Who uses a feature has it, announced or not. */
  learn<R extends Role>(role: R, feature: Asked<R>): void {
    this.#features.add(`${role} ${feature}`);
  }

  has<R extends Role>(role: R, feature: Asked<R>): boolean {
    return this.#features.has(`${role} ${feature}`);
  }

  /** The specification spells it both ways. */
  canCancel(role: 'callee'): boolean {
    return this.has(role, 'call_canceling') || this.has(role, 'call_cancelling');
  }
}
