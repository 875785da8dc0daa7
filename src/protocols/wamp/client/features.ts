import type { Dict } from './payload.js';

const withFeatures = (names: string): Dict => ({
  features: Object.fromEntries(names.split(' ').map((name) => [name, true])),
});

/** What this client can do, as it stands in HELLO. Nothing is announced that is not implemented. */
export const CLIENT_ROLES: Dict = {
  publisher: withFeatures(
    'subscriber_blackwhite_listing publisher_exclusion publisher_identification sharded_subscription payload_passthru_mode',
  ),
  subscriber: withFeatures(
    'publisher_identification publication_trustlevels pattern_based_subscription sharded_subscription event_history event_retention subscription_revocation payload_passthru_mode',
  ),
  callee: withFeatures(
    'progressive_call_results progressive_call_invocations call_timeout call_canceling caller_identification call_trustlevels call_reroute pattern_based_registration shared_registration sharded_registration registration_revocation payload_passthru_mode',
  ),
  caller: withFeatures(
    'progressive_call_results progressive_call_invocations call_timeout call_canceling caller_identification sharded_registration payload_passthru_mode',
  ),
};
