export type MatchPolicy = 'exact' | 'prefix' | 'wildcard';

const LOOSE = /^(?:[^\s.#]+\.)*[^\s.#]+$/;
const LOOSE_EMPTY = /^(?:[^\s.#]+\.|\.)*(?:[^\s.#]+)?$/;
const STRICT = /^(?:[0-9a-z_]+\.)*[0-9a-z_]+$/;
const STRICT_EMPTY = /^(?:[0-9a-z_]+\.|\.)*(?:[0-9a-z_]+)?$/;

// Longer than any name somebody typed; keeps pattern indexes shallow.
export const URI_LENGTH_MAX = 1024;

/**
 * Whether `uri` may name something (spec "URIs"). Empty components are for wildcards; a prefix may end in a dot.
 *
 *     isUri('com.example.add', 'exact'); // true
 *     isUri('com..add', 'exact'); // false
 */
export function isUri(uri: string, match: MatchPolicy = 'exact', isStrict = false): boolean {
  if (uri.length > URI_LENGTH_MAX) return false;
  if (match === 'wildcard') return uri !== '' && (isStrict ? STRICT_EMPTY : LOOSE_EMPTY).test(uri);
  // `com.example.` is the prefix of everything below it, but not of `com.example2`.
  const name = match === 'prefix' && uri.endsWith('.') ? uri.slice(0, -1) : uri;
  return (isStrict ? STRICT : LOOSE).test(name);
}

/** Whether `pattern` takes `uri`. A prefix is one of the text; a wildcard has as many components, empty ones take any. */
export function matchesUri(pattern: string, match: MatchPolicy, uri: string): boolean {
  if (match === 'exact') return pattern === uri;
  if (match === 'prefix') return uri.startsWith(pattern);
  const want = pattern.split('.');
  const have = uri.split('.');
  return want.length === have.length && want.every((part, i) => part === '' || part === have[i]);
}

/** URIs that the protocol names. */
export const Uris = {
  invalidUri: 'wamp.error.invalid_uri',
  noSuchProcedure: 'wamp.error.no_such_procedure',
  procedureAlreadyExists: 'wamp.error.procedure_already_exists',
  noSuchRegistration: 'wamp.error.no_such_registration',
  noSuchSubscription: 'wamp.error.no_such_subscription',
  noSuchSession: 'wamp.error.no_such_session',
  invalidArgument: 'wamp.error.invalid_argument',
  canceled: 'wamp.error.canceled',
  payloadSizeExceeded: 'wamp.error.payload_size_exceeded',
  protocolViolation: 'wamp.error.protocol_violation',
  notAuthorized: 'wamp.error.not_authorized',
  authorizationFailed: 'wamp.error.authorization_failed',
  noSuchRealm: 'wamp.error.no_such_realm',
  noSuchRole: 'wamp.error.no_such_role',
  noMatchingAuthMethod: 'wamp.error.no_matching_auth_method',
  noSuchPrincipal: 'wamp.error.no_such_principal',
  authenticationDenied: 'wamp.error.authentication_denied',
  authenticationFailed: 'wamp.error.authentication_failed',
  authenticationRequired: 'wamp.error.authentication_required',
  authorizationDenied: 'wamp.error.authorization_denied',
  authorizationRequired: 'wamp.error.authorization_required',
  timeout: 'wamp.error.timeout',
  optionNotAllowed: 'wamp.error.option_not_allowed',
  discloseMeDisallowed: 'wamp.error.option_disallowed.disclose_me',
  networkFailure: 'wamp.error.network_failure',
  unavailable: 'wamp.error.unavailable',
  noAvailableCallee: 'wamp.error.no_available_callee',
  noEligibleCallee: 'wamp.error.no_eligible_callee',
  featureNotSupported: 'wamp.error.feature_not_supported',
  runtimeError: 'wamp.error.runtime_error',
  closeNormal: 'wamp.close.normal',
  closeRealm: 'wamp.close.close_realm',
  closeKilled: 'wamp.close.killed',
  goodbyeAndOut: 'wamp.close.goodbye_and_out',
  systemShutdown: 'wamp.close.system_shutdown',
} as const;
