/** Whose keys we may ask for: an https address, or http on this machine (for development and tests). */
export function parseIssuerUrl(issuer: string): URL | undefined {
  const url = parseUrl(issuer);
  if (url === undefined || url.search !== '' || url.hash !== '') return undefined;
  return isAllowed(url, url) ? url : undefined;
}

/** The address of an issuer's description. OpenID Connect Discovery 1.0 section 4. */
export function discoveryUrl(issuer: URL): URL {
  return new URL(`${issuer.href.replace(/\/+$/, '')}/.well-known/openid-configuration`);
}

/** The address of the keys, as the issuer's description names it. An https issuer cannot send us to this machine's http. */
export function parseKeysUrl(text: unknown, issuer: URL): URL | undefined {
  const url = typeof text === 'string' ? parseUrl(text) : undefined;
  return url !== undefined && isAllowed(url, issuer) ? url : undefined;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isAllowed(url: URL, issuer: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopback(url.hostname) && issuer.protocol === 'http:';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
