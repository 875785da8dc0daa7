import { createHmac } from 'node:crypto';
import { CompactSign } from 'jose';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import { deriveIdentity } from '../values/derive-identity.js';
import { AuthError, type AuthErrorCode } from './auth-error.js';
import { readClaims } from './claims.js';
import { KeyPair } from './keys.js';
import { TokenAuthority } from './tokens.js';

const keys = KeyPair.generate();
let clock: ManualClock;
let authority: TokenAuthority;

beforeEach(() => {
  clock = new ManualClock();
  authority = new TokenAuthority({ keys, clock, random: seededRandom(7) });
});

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function readPart(token: string, index: number): Record<string, unknown> {
  const text = Buffer.from(token.split('.')[index] ?? '', 'base64url').toString();
  return JSON.parse(text) as Record<string, unknown>;
}

const payloadOf = (token: string): Record<string, unknown> => readPart(token, 1);

const nowSeconds = (): number => clock.nowMicros() / 1e6;

function signLocally(payload: unknown, header: Record<string, unknown> = {}): Promise<string> {
  return new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(keys.privateKey);
}

async function refusal(token: string): Promise<{ code: AuthErrorCode; httpStatus: number; message: string }> {
  const error: unknown = await authority.verify(token).then(
    () => new Error('the token was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AuthError)) throw error as Error;
  return { code: error.code, httpStatus: error.httpStatus, message: error.message };
}

describe('identifying', () => {
  it('without a token there is a stranger each time, with claims as if he had one', async () => {
    const [one, other] = [await authority.identify(undefined), await authority.identify(undefined)];
    expect(one.identity.isEqual(other.identity)).toBe(false);
    expect(one).not.toHaveProperty('token');
    const { payload } = await authority.mintAnonymous();
    const claims = JSON.parse(one.payload) as Record<string, unknown>;
    expect(Object.keys(claims)).toEqual(Object.keys(JSON.parse(payload) as object));
    expect(claims['hex_identity']).toBe(one.identity.toHexString());
    expect(claims['sub']).toBe(one.subject);
  });

  it('a stranger is the same whenever and in whatever order he is looked at', async () => {
    const stranger = authority.stranger();
    clock.advance(3_600_000);
    const { payload, identity, subject, issuer } = stranger;
    expect(readClaims(new TextEncoder().encode(payload), clock.nowMicros())).toEqual({
      identity,
      subject,
      issuer,
      payload,
      expiresAtMicros: undefined,
    });
    expect(JSON.parse(payload)).toMatchObject({ iat: clock.nowMicros() / 1e6 - 3600 });
    expect([stranger.identity, stranger.subject, stranger.payload]).toEqual([identity, subject, payload]);
  });

  it('with a token it is its owner, or an error', async () => {
    const known = await authority.mintAnonymous();
    expect((await authority.identify(known.token)).identity.isEqual(known.identity)).toBe(true);
    await expect(authority.identify(`${known.token}x`)).rejects.toThrow(AuthError);
  });
});

describe('minting', () => {
  it('writes header and claims as official clients and servers expect them', async () => {
    const { token, identity, subject } = await authority.mintAnonymous();
    expect(readPart(token, 0)).toEqual({
      typ: 'JWT',
      alg: 'ES256',
    });
    expect(payloadOf(token)).toEqual({
      hex_identity: identity.toHexString(),
      sub: subject,
      iss: 'localhost',
      aud: ['spacetimedb'],
      iat: nowSeconds(),
      exp: null,
    });
    expect(subject).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('gives every stranger another identity, and recognises each by his token', async () => {
    const [ada, bob] = [await authority.mintAnonymous(), await authority.mintAnonymous()];
    expect(ada.identity.isEqual(bob.identity)).toBe(false);
    expect((await authority.verify(ada.token)).identity.toHexString()).toBe(ada.identity.toHexString());
  });

  it('derives the identity from issuer and subject', async () => {
    const { identity } = await authority.mintFor({ subject: 'test-subject' });
    expect(identity.toHexString()).toBe('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38');
  });

  it.each([
    [{ subject: '' }, '`sub` must have 1 to 128 bytes, it has 0'],
    [{ subject: 'x'.repeat(129) }, '`sub` must have 1 to 128 bytes, it has 129'],
    [{ subject: 'ä'.repeat(65) }, '`sub` must have 1 to 128 bytes, it has 130'],
    [{ subject: 'a', issuer: 'x'.repeat(129) }, '`iss` must have 1 to 128 bytes, it has 129'],
  ])('refuses names that are empty or too long', async (claims, message) => {
    await expect(authority.mintFor(claims)).rejects.toThrow(message);
  });

  it('accepts names of exactly 128 bytes', async () => {
    const { token } = await authority.mintFor({ subject: 's'.repeat(128), issuer: 'i'.repeat(128) });
    expect((await authority.verify(token)).subject).toHaveLength(128);
  });
});

describe('a WebSocket token', () => {
  it('says the same about its holder and expires after 60 seconds', async () => {
    const ada = await authority.mintFor({ subject: 'ada', issuer: 'https://example.com' });
    const token = await authority.mintWebSocketToken(ada);
    expect(payloadOf(token)).toEqual({ ...payloadOf(ada.token), exp: nowSeconds() + 60 });
    expect((await authority.verify(token)).identity.isEqual(ada.identity)).toBe(true);
    clock.advance(59_999);
    await authority.verify(token);
    clock.advance(1);
    expect((await refusal(token)).code).toBe('EXPIRED');
  });

  it('never outlives the token that it stands for', async () => {
    const ada = await authority.mintFor({ subject: 'ada', lifetimeSeconds: 10 });
    expect(payloadOf(await authority.mintWebSocketToken(ada))['exp']).toBe(nowSeconds() + 10);
  });
});

describe('verifying', () => {
  it('remembers a verified token, but not past its expiry', async () => {
    const { token } = await authority.mintFor({ subject: 'ada', lifetimeSeconds: 30 });
    const first = await authority.verify(token);
    expect(await authority.verify(token)).toBe(first);
    clock.advance(30_000);
    expect(await refusal(token)).toEqual({
      code: 'EXPIRED',
      httpStatus: 401,
      message: 'Authorization failed: the token has expired',
    });
  });

  it('follows the injected clock when wall time jumps ahead', async () => {
    const { token } = await authority.mintFor({ subject: 'ada', lifetimeSeconds: 3600 });
    await authority.verify(token);
    clock.setWallTime(clock.nowMicros() + 3600e6);
    expect((await refusal(token)).code).toBe('EXPIRED');
  });

  it('hands on the payload as it was signed, byte for byte', async () => {
    const payload = '{ "sub":"ada", "iss":"localhost",\n "iat": 1600000000.0, "extra": [1.50] }';
    expect((await authority.verify(await signLocally(payload))).payload).toBe(payload);
  });

  it('refuses a token of a server with another key', async () => {
    const stranger = new TokenAuthority({ keys: KeyPair.generate(), clock, random: seededRandom(1) });
    expect(await refusal((await stranger.mintAnonymous()).token)).toEqual({
      code: 'BAD_SIGNATURE',
      httpStatus: 401,
      message: 'Authorization failed: token not signed by this instance',
    });
  });

  it('refuses another issuer when nobody was configured to check it', async () => {
    const stranger = new TokenAuthority({ keys: KeyPair.generate(), clock, random: seededRandom(1) });
    const { token } = await stranger.mintFor({ subject: 'ada', issuer: 'https://example.com' });
    expect((await refusal(token)).code).toBe('BAD_SIGNATURE');
  });

  it('refuses `alg: none`, with and without a signature', async () => {
    const [, payload, signature] = (await authority.mintAnonymous()).token.split('.');
    for (const alg of ['none', 'None', 'NONE']) {
      const header = encode({ typ: 'JWT', alg });
      expect((await refusal(`${header}.${payload}.`)).code).toBe('BAD_ALGORITHM');
      expect((await refusal(`${header}.${payload}.${signature}`)).code).toBe('BAD_ALGORITHM');
    }
  });

  it('refuses HS256 with our public key as the secret', async () => {
    const payload = encode({ iss: 'localhost', sub: 'owner', iat: 1_600_000_000 });
    const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${payload}`;
    for (const secret of [keys.publicKeyPem, keys.publicKeyPem.trim()]) {
      const signature = createHmac('sha256', secret).update(signed).digest('base64url');
      expect((await refusal(`${signed}.${signature}`)).code).toBe('BAD_ALGORITHM');
    }
  });

  it('refuses a payload that was changed after signing', async () => {
    const [header, , signature] = (await authority.mintAnonymous()).token.split('.');
    const payload = encode({ iss: 'localhost', sub: 'owner', iat: 1_600_000_000 });
    expect((await refusal(`${header}.${payload}.${signature}`)).code).toBe('BAD_SIGNATURE');
  });

  it('refuses a header that asks for extensions', async () => {
    const claims = { iss: 'localhost', sub: 'ada', iat: 1_600_000_000 };
    const token = await signLocally(claims, { b64: true, crit: ['b64'] });
    expect((await refusal(token)).code).toBe('MALFORMED');
  });

  const valid = { iss: 'localhost', sub: 'ada', iat: 1_600_000_000 };
  it.each<[string, unknown, AuthErrorCode]>([
    ['without iss', { ...valid, iss: undefined }, 'BAD_CLAIMS'],
    ['without sub', { ...valid, sub: undefined }, 'BAD_CLAIMS'],
    ['without iat', { ...valid, iat: undefined }, 'BAD_CLAIMS'],
    ['with an empty sub', { ...valid, sub: '' }, 'BAD_CLAIMS'],
    ['with a sub of 129 bytes', { ...valid, sub: 'x'.repeat(129) }, 'BAD_CLAIMS'],
    ['with a sub that is a number', { ...valid, sub: 7 }, 'BAD_CLAIMS'],
    ['with an iat that is text', { ...valid, iat: '1600000000' }, 'BAD_CLAIMS'],
    ['with an exp that is text', { ...valid, exp: 'never' }, 'BAD_CLAIMS'],
    ['with an aud of numbers', { ...valid, aud: [1] }, 'BAD_CLAIMS'],
    ['with an nbf that is text', { ...valid, nbf: 'soon' }, 'BAD_CLAIMS'],
    ['with an nbf far ahead', { ...valid, nbf: 1_700_000_061 }, 'NOT_YET_VALID'],
    ['with the past as exp', { ...valid, exp: 1_600_000_001 }, 'EXPIRED'],
    ['with an exp that was now', { ...valid, exp: 1_700_000_000 }, 'EXPIRED'],
    ["with somebody else's hex_identity", { ...valid, hex_identity: 'c2'.repeat(32) }, 'IDENTITY_MISMATCH'],
    ['whose payload is a list', [], 'MALFORMED'],
    ['whose payload is not JSON', 'ada', 'MALFORMED'],
  ])('refuses a token %s although we signed it', async (_, payload, code) => {
    expect((await refusal(await signLocally(payload))).code).toBe(code);
  });

  it.each([
    ['text as aud', { ...valid, aud: 'anybody' }],
    ['a list as aud', { ...valid, aud: ['a', 'b'] }],
    ['null as exp', { ...valid, exp: null }],
    ['an nbf a minute ahead', { ...valid, nbf: 1_700_000_060 }],
    ['the right hex_identity', { ...valid, hex_identity: deriveIdentity('localhost', 'ada').toHexString() }],
  ])('accepts %s', async (_, payload) => {
    expect((await authority.verify(await signLocally(payload))).subject).toBe('ada');
  });

  it('answers 400 to what is not a token at all, and never breaks', async () => {
    for (const text of ['', 'x', '..', 'a.b.c', 'a.b.c.d.e', `${encode({ alg: 'ES256' })}..`, 'é.ü.ö']) {
      expect(await refusal(text)).toMatchObject({ code: 'MALFORMED', httpStatus: 400 });
    }
    await fc.assert(fc.asyncProperty(fc.string(), async (text) => void (await refusal(text))));
  });

  it('refuses every one-character change of a token, and every truncation', async () => {
    const { token } = await authority.mintAnonymous();
    const positions = fc.integer({ min: 0, max: token.length - 2 });
    await fc.assert(
      fc.asyncProperty(positions, fc.constantFrom('A', 'z', '.', '-', '='), async (at, character) => {
        fc.pre(token[at] !== character);
        await refusal(token.slice(0, at) + character + token.slice(at + 1));
        await refusal(token.slice(0, at));
      }),
    );
  });

  it('does not look at a token longer than any header', async () => {
    const token = await signLocally({ ...valid, padding: 'x'.repeat(16_000) });
    expect((await refusal(token)).code).toBe('MALFORMED');
  });
});
