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

/** Attributes by their names in the header: text, `true` for a mere name, or a function that gives one of them. */
export type CookieAttributes = Readonly<Record<string, string | boolean | (() => string | boolean)>>;

/** The same from attributes by their names in the header. */
export function serialiseCookieAttributes(name: string, value: string, attributes: CookieAttributes): string {
  const parts = [`${checkName(name)}=${encodeURIComponent(value)}`];
  for (const [key, given] of Object.entries(attributes)) {
    const attribute = typeof given === 'function' ? given() : given;
    if (attribute === false) continue;
    parts.push(attribute === true ? checkName(key) : `${checkName(key)}=${checkAttribute(attribute)}`);
  }
  return parts.join('; ');
}

/** The value of a Set-Cookie header. Throws for options that could become another header or cookie. */
export function serialiseCookie(options: CookieOptions, value: string): string {
  const { name = 'io', path = '/', httpOnly = true, sameSite = 'Lax' } = options;
  const parts = [`${checkName(name)}=${encodeURIComponent(value)}`];
  if (options.maxAgeSeconds !== undefined) parts.push(`Max-Age=${Math.floor(options.maxAgeSeconds)}`);
  if (options.domain !== undefined) parts.push(`Domain=${checkAttribute(options.domain)}`);
  if (path !== false && path !== '') parts.push(`Path=${checkAttribute(path)}`);
  if (options.expires !== undefined) parts.push(`Expires=${options.expires.toUTCString()}`);
  if (httpOnly) parts.push('HttpOnly');
  if (options.secure === true) parts.push('Secure');
  if (sameSite !== false) parts.push(`SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`);
  return parts.join('; ');
}

function checkName(name: string): string {
  if (!NAME.test(name)) throw new Error(`"${name}" cannot be the name of a cookie`);
  return name;
}

function checkAttribute(value: string): string {
  if (!ATTRIBUTE.test(value)) throw new Error(`"${value}" cannot be an attribute of a cookie`);
  return value;
}
