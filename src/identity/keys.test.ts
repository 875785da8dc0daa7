import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { KeyPair } from './keys.js';
import { loadOrCreateOwner, ownerTokenPath } from './owner.js';
import { TokenAuthority } from './tokens.js';

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'chorale-keys-')), 'config');
});

afterEach(async () => {
  await rm(join(directory, '..'), { recursive: true });
});

const mode = async (name: string): Promise<string> =>
  ((await stat(join(directory, name))).mode & 0o777).toString(8);

const authorityWith = (keys: KeyPair): TokenAuthority =>
  new TokenAuthority({ keys, clock: systemClock, random: systemRandom });

describe('KeyPair', () => {
  it('is created once, readable by nobody else, and is the same after a restart', async () => {
    const first = await KeyPair.loadOrCreate(directory);
    const second = await KeyPair.loadOrCreate(directory);
    expect(second.publicKeyPem).toBe(first.publicKeyPem);
    expect(await mode('token-key.pem')).toBe('600');
    expect(await readFile(join(directory, 'token-key.pem'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(await readFile(join(directory, 'token-key.pub.pem'), 'utf8')).toBe(first.publicKeyPem);
    expect(first.publicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  it('is one pair when many processes start at once, and leaves no temporary file', async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, () => KeyPair.loadOrCreate(directory)));
    expect(new Set(pairs.map((pair) => pair.publicKeyPem)).size).toBe(1);
    expect((await readdir(directory)).toSorted()).toEqual(['token-key.pem', 'token-key.pub.pem']);
  });

  it('refuses a key that others can read, and says which command repairs it', async () => {
    await KeyPair.loadOrCreate(directory);
    const path = join(directory, 'token-key.pem');
    await chmod(path, 0o640);
    await expect(KeyPair.loadOrCreate(directory)).rejects.toThrow(`Run: chmod 600 ${path}`);
    await chmod(path, 0o600);
    await KeyPair.loadOrCreate(directory);
  });

  it('never replaces a file that is not a key', async () => {
    await KeyPair.loadOrCreate(directory);
    const path = join(directory, 'token-key.pem');
    await writeFile(path, 'no key');
    await expect(KeyPair.loadOrCreate(directory)).rejects.toThrow('is not a private key. Restore it');
    expect(await readFile(path, 'utf8')).toBe('no key');
  });

  it('refuses a key of another kind', async () => {
    await KeyPair.loadOrCreate(directory);
    const { generateKeyPairSync } = await import('node:crypto');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    await writeFile(
      join(directory, 'token-key.pem'),
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    );
    await expect(KeyPair.loadOrCreate(directory)).rejects.toThrow('not ECDSA P-256');
  });
});

describe('the owner', () => {
  it('is created on the first start and is the same after a restart', async () => {
    const first = await loadOrCreateOwner(directory, authorityWith(await KeyPair.loadOrCreate(directory)));
    const second = await loadOrCreateOwner(directory, authorityWith(await KeyPair.loadOrCreate(directory)));
    expect(second.identity.toHexString()).toBe(first.identity.toHexString());
    expect(await mode('owner.token')).toBe('600');
    expect((await readFile(ownerTokenPath(directory), 'utf8')).trim()).toBe(first.token);
  });

  it('is not replaced silently when the key has changed', async () => {
    await loadOrCreateOwner(directory, authorityWith(KeyPair.generate()));
    await expect(loadOrCreateOwner(directory, authorityWith(KeyPair.generate()))).rejects.toThrow(
      'Restore the key it was signed with',
    );
  });

  it('is refused when others can read its token', async () => {
    const authority = authorityWith(KeyPair.generate());
    await loadOrCreateOwner(directory, authority);
    await chmod(ownerTokenPath(directory), 0o644);
    await expect(loadOrCreateOwner(directory, authority)).rejects.toThrow('chmod 600');
  });
});
