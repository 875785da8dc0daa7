import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import { deriveIdentity } from '../values/derive-identity.js';
import { AuthError } from './auth-error.js';
import { parseIssuerUrl, parseKeysUrl } from './issuer-url.js';
import { KeyPair } from './keys.js';
import { OidcValidator, type OidcOptions } from './oidc.js';
import { LocalIssuer } from './testing/local-issuer.js';
import { TokenAuthority } from './tokens.js';

const DISCOVERY = '/.well-known/openid-configuration';
const keys = KeyPair.generate();
let clock: ManualClock;
let issuer: LocalIssuer;
let authority: TokenAuthority;

function makeAuthority(options: Partial<OidcOptions> = {}): TokenAuthority {
  return new TokenAuthority({
    keys,
    clock,
    random: seededRandom(3),
    oidc: new OidcValidator({ clock, ...options }),
  });
}

beforeEach(async () => {
  clock = new ManualClock();
  issuer = await LocalIssuer.start();
  await issuer.addKey('one');
  authority = makeAuthority();
});

afterEach(async () => {
  // A renewal in the background may still be under way: it ends by itself, and must end its timer.
  await expect.poll(() => clock.pendingTimers).toBe(0);
  await issuer.close();
});

async function outcome(token: string, by = authority): Promise<string> {
  try {
    return (await by.verify(token)).subject;
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

describe('tokens of another issuer', () => {
  it('are accepted with the keys that he publishes, and asked for only once', async () => {
    const ada = await authority.verify(await issuer.sign('one'));
    expect(ada.issuer).toBe(issuer.url);
    expect(ada.identity.isEqual(deriveIdentity(issuer.url, 'ada'))).toBe(true);
    expect(await outcome(await issuer.sign('one', { payload: { sub: 'bob' } }))).toBe('bob');
    expect(issuer.requests).toEqual([DISCOVERY, '/keys']);
  });

  it.each(['RS256', 'PS384', 'ES256', 'EdDSA'])('may be signed with %s', async (algorithm) => {
    await issuer.addKey('two', algorithm);
    expect(await outcome(await issuer.sign('two'))).toBe('ada');
  });

  it('may leave out which key they are signed with', async () => {
    for (const name of ['two', 'three']) await issuer.addKey(name);
    for (const name of ['one', 'two', 'three']) {
      expect(await outcome(await issuer.sign(name, { kid: undefined }))).toBe('ada');
    }
  });

  it('can be exchanged for a WebSocket token that we sign', async () => {
    const ada = await authority.verify(await issuer.sign('one'));
    const offline = new TokenAuthority({ keys, clock, random: seededRandom(3) });
    const again = await offline.verify(await authority.mintWebSocketToken(ada));
    expect(again.identity.isEqual(ada.identity)).toBe(true);
  });

  it('are refused when forged, expired or signed by a key he does not publish', async () => {
    const stranger = await LocalIssuer.start();
    await stranger.addKey('one');
    const [header, , signature] = (await issuer.sign('one')).split('.');
    const changed = Buffer.from(JSON.stringify({ iss: issuer.url, sub: 'bob', iat: 1 })).toString(
      'base64url',
    );
    expect([
      await outcome(`${header}.${changed}.${signature}`),
      await outcome(await stranger.sign('one', { payload: { iss: issuer.url } })),
      await outcome(await stranger.sign('one', { kid: undefined, payload: { iss: issuer.url } })),
      await outcome(await issuer.sign('one', { payload: { exp: 1_600_000_001 } })),
    ]).toEqual(['BAD_SIGNATURE', 'BAD_SIGNATURE', 'BAD_SIGNATURE', 'EXPIRED']);
    await stranger.close();
  });

  it('cannot claim to be ours', async () => {
    expect(await outcome(await issuer.sign('one', { payload: { iss: 'localhost' } }))).toBe('BAD_SIGNATURE');
    expect(issuer.requests).toEqual([]);
  });

  it('are refused when the issuer calls itself something else, even by a slash', async () => {
    expect(await outcome(await issuer.sign('one', { payload: { iss: `${issuer.url}/` } }))).toBe(
      'ISSUER_UNAVAILABLE',
    );
    expect(issuer.requests).toEqual([DISCOVERY]);
  });

  it('are refused without asking when the issuer is not on the list', async () => {
    const listed = makeAuthority({ allowedIssuers: ['https://example.com'] });
    expect(await outcome(await issuer.sign('one'), listed)).toBe('ISSUER_REFUSED');
    expect(issuer.requests).toEqual([]);
    expect(await outcome(await issuer.sign('one'), makeAuthority({ allowedIssuers: [issuer.url] }))).toBe(
      'ada',
    );
  });
});

describe('published keys', () => {
  const advanceSeconds = (seconds: number): void => clock.advance(seconds * 1000);
  const freshToken = (sub: string, kid = 'one'): Promise<string> => issuer.sign(kid, { payload: { sub } });
  const untilIdle = (count: number): PromiseLike<void> =>
    expect.poll(() => issuer.requests.length).toBe(count);

  it('serve for 300 seconds without a question, then are renewed in the background', async () => {
    await outcome(await freshToken('a'));
    advanceSeconds(299);
    expect(await outcome(await freshToken('b'))).toBe('b');
    expect(issuer.requests).toHaveLength(2);
    advanceSeconds(1);
    expect(await outcome(await freshToken('c'))).toBe('c');
    await untilIdle(4);
  });

  it('serve for two hours while the issuer is down, and not longer', async () => {
    await outcome(await freshToken('a'));
    issuer.intercept = (_, response) => (response.writeHead(500).end(), true);
    advanceSeconds(7199);
    expect(await outcome(await freshToken('b'))).toBe('b');
    await untilIdle(3);
    await expect.poll(() => clock.pendingTimers).toBe(0);
    advanceSeconds(30);
    expect(await outcome(await freshToken('c'))).toBe('ISSUER_UNAVAILABLE');
  });

  it('are asked for again when a token names a new one, at most every 30 seconds', async () => {
    await outcome(await freshToken('a'));
    await issuer.addKey('two');
    expect(await outcome(await freshToken('b', 'two'))).toBe('BAD_SIGNATURE');
    expect(issuer.requests).toHaveLength(2);
    advanceSeconds(30);
    expect(await outcome(await freshToken('b', 'two'))).toBe('b');
    expect(issuer.requests).toHaveLength(4);
  });

  it('that were withdrawn stop working within five minutes, also for tokens seen before', async () => {
    const token = await freshToken('a');
    await outcome(token);
    await issuer.addKey('two');
    issuer.removeKey('one');
    advanceSeconds(300);
    await outcome(token);
    await untilIdle(4);
    await expect.poll(() => clock.pendingTimers).toBe(0);
    advanceSeconds(300);
    expect(await outcome(token)).toBe('BAD_SIGNATURE');
  });
});

describe('an issuer that is not what it should be', () => {
  const respond =
    (path: string, body: string, status = 200): NonNullable<LocalIssuer['intercept']> =>
    (request, response) => {
      if (request.url !== path) return false;
      response.writeHead(status, { location: `${issuer.url}/keys` }).end(body);
      return true;
    };
  const description = (jwksUri: string): string => JSON.stringify({ issuer: issuer.url, jwks_uri: jwksUri });
  const manyKeys = JSON.stringify({ keys: Array.from({ length: 65 }, () => ({ kty: 'RSA' })) });

  it.each<[string, () => NonNullable<LocalIssuer['intercept']>]>([
    ['answers 404', () => respond(DISCOVERY, '{}', 404)],
    ['redirects', () => respond(DISCOVERY, '', 302)],
    ['answers no JSON', () => respond(DISCOVERY, '<html>')],
    ['answers null', () => respond(DISCOVERY, 'null')],
    ['answers 256 KiB and a byte', () => respond('/keys', ' '.repeat(256 * 1024 - 10) + '{"keys":[]}')],
    [
      'names a key set on another machine without TLS',
      () => respond(DISCOVERY, description('http://10.0.0.1/')),
    ],
    ['names a key set that is a file', () => respond(DISCOVERY, description('file:///etc/passwd'))],
    ['has a key set that is no list', () => respond('/keys', '{"keys":{}}')],
    ['has more than 64 keys', () => respond('/keys', manyKeys)],
  ])('%s: its tokens are refused and it is left alone for 30 seconds', async (_, intercept) => {
    issuer.intercept = intercept();
    expect(await outcome(await issuer.sign('one'))).toBe('ISSUER_UNAVAILABLE');
    const requests = issuer.requests.length;
    issuer.intercept = undefined;
    expect(await outcome(await issuer.sign('one'))).toBe('ISSUER_UNAVAILABLE');
    expect(issuer.requests).toHaveLength(requests);
    clock.advance(30_000);
    expect(await outcome(await issuer.sign('one'))).toBe('ada');
  });

  it('answers exactly 256 KiB: that is still accepted', async () => {
    issuer.intercept = respond(DISCOVERY, description(`${issuer.url}/keys`).padEnd(256 * 1024));
    expect(await outcome(await issuer.sign('one'))).toBe('ada');
  });

  it('never answers: the question is given up after five seconds', async () => {
    issuer.intercept = () => true;
    const waiting = outcome(await issuer.sign('one'));
    await expect.poll(() => issuer.requests.length).toBe(1);
    clock.advance(5_000);
    expect(await waiting).toBe('ISSUER_UNAVAILABLE');
  });

  it('says nothing about the reason, which could describe our network', async () => {
    issuer.intercept = respond(DISCOVERY, '{}', 404);
    await expect(authority.verify(await issuer.sign('one'))).rejects.toThrow(
      /^Authorization failed: the issuer's keys could not be fetched$/,
    );
  });

  it.each([
    'http://example.com',
    'ftp://example.com',
    'https://a:b@example.com',
    'https://e.com/?x',
    'ada',
    '//x',
  ])('has an address that is never asked: %s', async (iss) => {
    expect(await outcome(await issuer.sign('one', { payload: { iss } }))).toBe('ISSUER_REFUSED');
  });
});

describe('strangers who name many issuers', () => {
  it('get eight requests at once, and others are told to come back', async () => {
    issuer.intercept = () => true;
    const paths = Array.from({ length: 9 }, (_, i) => `${issuer.url}/${i}`);
    const tokens = await Promise.all(paths.map((iss) => issuer.sign('one', { payload: { iss } })));
    const waiting = tokens.slice(0, 8).map((token) => outcome(token));
    await expect.poll(() => issuer.requests.length).toBe(8);
    await expect(authority.verify(tokens[8] ?? '')).rejects.toMatchObject({ code: 'BUSY', httpStatus: 503 });
    clock.advance(5_000);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ISSUER_UNAVAILABLE']));
  });

  it('share one request when they name the same', async () => {
    const tokens = ['a', 'b', 'c'].map((sub) => issuer.sign('one', { payload: { sub } }));
    expect(await Promise.all(tokens.map(async (token) => await outcome(await token)))).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(issuer.requests).toHaveLength(2);
  });

  it('get sixty new issuers a minute, while a known one goes on working', async () => {
    await outcome(await issuer.sign('one'));
    const results = [];
    for (let i = 0; i < 60; i++) {
      const iss = `${issuer.url}/${i}`;
      results.push(await outcome(await issuer.sign('one', { payload: { iss } })));
    }
    expect(results.indexOf('BUSY')).toBe(59);
    clock.advance(7_200_000 - 30_000);
    expect(await outcome(await issuer.sign('one', { payload: { sub: 'bob' } }))).toBe('bob');
  });
});

describe('addresses', () => {
  it.each([
    ['https://example.com', true],
    ['https://example.com/tenant/', true],
    ['http://localhost:8080', true],
    ['http://127.0.0.1', true],
    ['http://127.9.9.9', true],
    ['http://[::1]:9', true],
    ['http://0.0.0.0', false],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['https://example.com#x', false],
    ['javascript:alert(1)', false],
  ])('an issuer at %s: %s', (issuer, isAccepted) => {
    expect(parseIssuerUrl(issuer) !== undefined).toBe(isAccepted);
  });

  it('an https issuer cannot send us to http on this machine', () => {
    const remote = new URL('https://example.com');
    expect(parseKeysUrl('http://127.0.0.1/keys', remote)).toBeUndefined();
    expect(parseKeysUrl('https://keys.example.com/', remote)?.href).toBe('https://keys.example.com/');
    expect(parseKeysUrl(undefined, remote)).toBeUndefined();
  });
});
