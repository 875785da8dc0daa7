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

/** What a client announced in HELLO. */
export class AnnouncedFeatures {
  readonly #features = new Set<string>();
  readonly roles: ReadonlySet<string>;

  constructor(roles: Dict) {
    this.roles = new Set(Object.keys(roles));
    for (const [role, value] of Object.entries(roles)) {
      const features = isDict(value) ? value['features'] : undefined;
      if (!isDict(features)) continue;
      for (const [name, isOn] of Object.entries(features))
        if (isOn === true) this.#features.add(`${role} ${name}`);
    }
  }

  /** Who uses a feature has it, announced or not. */
  learn(role: Role, feature: string): void {
    this.#features.add(`${role} ${feature}`);
  }

  has(role: Role, feature: string): boolean {
    return this.#features.has(`${role} ${feature}`);
  }

  /** The specification spells it both ways. */
  canCancel(role: 'caller' | 'callee'): boolean {
    return this.has(role, 'call_canceling') || this.has(role, 'call_cancelling');
  }
}
