import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hmacSha256, pbkdf2Sha256, sha256 } from './digests.js';
import { utf8 } from './encoding.js';

afterEach(() => void vi.unstubAllGlobals());

describe.each([
  ['by the platform', () => {}],
  ['by the package, on pages that came over http', () => vi.stubGlobal('crypto', {})],
])('%s', (_, prepare) => {
  test('digests are what Node makes of the same', async () => {
    prepare();
    for (const text of ['', 'abc', 'ü'.repeat(1000)]) {
      const data = utf8(text);
      expect(Buffer.from(await sha256(data))).toEqual(createHash('sha256').update(data).digest());
      for (const key of [utf8(''), utf8('key'), utf8('k'.repeat(200))]) {
        expect(Buffer.from(await hmacSha256(key, data))).toEqual(
          createHmac('sha256', key).update(data).digest(),
        );
      }
      for (const length of [16, 32, 100]) {
        const derived = await pbkdf2Sha256(utf8('secret'), data, 7, length);
        expect(Buffer.from(derived)).toEqual(pbkdf2Sync('secret', data, 7, length, 'sha256'));
      }
    }
  });
});
