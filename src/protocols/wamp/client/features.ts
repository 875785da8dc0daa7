import type { Dict } from './payload.js';

const withFeatures = (names: string): Dict => ({
  features: Object.fromEntries(names.split(' ').map((name) => [name, true])),
});

/** What this client can do, as it stands in HELLO. Nothing is announced that is not implemented. */
export const CLIENT_ROLES: Dict = {
  publisher: withFeatures(
    'publisher_identification sharded_subscription payload_passthru_mode subscriber_blackwhite_listing publisher_exclusion',
  ),
  subscriber: withFeatures(
    'publisher_identification sharded_subscription payload_passthru_mode publication_trustlevels pattern_based_subscription event_history event_retention subscription_revocation',
  ),
  callee: withFeatures(
    'progressive_call_results progressive_call_invocations call_timeout call_canceling caller_identification sharded_registration payload_passthru_mode call_trustlevels call_reroute pattern_based_registration shared_registration registration_revocation',
  ),
  caller: withFeatures(
    'progressive_call_results progressive_call_invocations call_timeout call_canceling caller_identification sharded_registration payload_passthru_mode',
  ),
};
