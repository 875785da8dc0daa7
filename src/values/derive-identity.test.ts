import { expect, test } from 'vitest';
import { deriveIdentity } from './derive-identity.js';

test.each([
  ['localhost', 'test-subject', 'c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38'],
  ['https://example.com', 'alice', 'c200b9322c6915549469768188dc0cc6ce60fdbd63823b801c6ace9666085d28'],
])('the identity of %s %s is the same everywhere', (issuer, subject, hex) => {
  expect(deriveIdentity(issuer, subject).toHexString()).toBe(hex);
});
