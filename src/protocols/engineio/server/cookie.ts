/** The cookie that carries a session's id, for load balancers. */
export interface CookieOptions {
  /** Default `io`. */
  readonly name?: string;
  /** Default `/`. */
  readonly path?: string | false;
  /** Default true. */
  readonly httpOnly?: boolean;
  /** Default `Lax`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | 'strict' | 'lax' | 'none' | false;
  readonly secure?: boolean;
  readonly domain?: string;
  readonly maxAgeSeconds?: number;
  readonly expires?: Date;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Visible ASCII without what ends an attribute.
const ATTRIBUTE = /^[\u0020-\u003a\u003c-\u007e]*$/;

/** The value of a Set-Cookie header. Throws for options that could become another header or cookie. */
export function serialiseCookie(options: CookieOptions, value: string): string {
  const { name = 'io', path = '/', httpOnly = true, sameSite = 'Lax' } = options;
  if (!NAME.test(name)) throw new Error(`"${name}" cannot be the name of a cookie`);
  const parts = [`${name}=${encodeURIComponent(value)}`];
  if (options.maxAgeSeconds !== undefined) parts.push(`Max-Age=${Math.floor(options.maxAgeSeconds)}`);
  if (options.domain !== undefined) parts.push(`Domain=${checkAttribute(options.domain)}`);
  if (path !== false && path !== '') parts.push(`Path=${checkAttribute(path)}`);
  if (options.expires !== undefined) parts.push(`Expires=${options.expires.toUTCString()}`);
  if (httpOnly) parts.push('HttpOnly');
  if (options.secure === true) parts.push('Secure');
  if (sameSite !== false) parts.push(`SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`);
  return parts.join('; ');
}

function checkAttribute(value: string): string {
  if (!ATTRIBUTE.test(value)) throw new Error(`"${value}" cannot be an attribute of a cookie`);
  return value;
}
