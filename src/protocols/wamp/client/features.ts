import type { Dict } from './payload.js';

/** What this client can do, as it stands in HELLO. Nothing is announced that is not implemented. */
export const CLIENT_ROLES: Dict = {
  publisher: {
    features: {
      subscriber_blackwhite_listing: true,
      publisher_exclusion: true,
      publisher_identification: true,
      sharded_subscription: true,
      payload_passthru_mode: true,
    },
  },
  subscriber: {
    features: {
      publisher_identification: true,
      publication_trustlevels: true,
      pattern_based_subscription: true,
      sharded_subscription: true,
      event_history: true,
      event_retention: true,
      subscription_revocation: true,
      payload_passthru_mode: true,
    },
  },
  callee: {
    features: {
      progressive_call_results: true,
      progressive_call_invocations: true,
      call_timeout: true,
      call_canceling: true,
      caller_identification: true,
      call_trustlevels: true,
      call_reroute: true,
      pattern_based_registration: true,
      shared_registration: true,
      sharded_registration: true,
      registration_revocation: true,
      payload_passthru_mode: true,
    },
  },
  caller: {
    features: {
      progressive_call_results: true,
      progressive_call_invocations: true,
      call_timeout: true,
      call_canceling: true,
      caller_identification: true,
      sharded_registration: true,
      payload_passthru_mode: true,
    },
  },
};
