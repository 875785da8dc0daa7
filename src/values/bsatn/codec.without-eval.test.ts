import { afterEach, expect, it, vi } from 'vitest';
import { primitiveType, productType } from '../algebraic-type.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('where eval is forbidden closures do the work, and it is asked once', async () => {
  let attempts = 0;
  vi.stubGlobal('Function', function forbidden() {
    attempts++;
    throw new EvalError('code generation from strings is disallowed');
  });
  vi.resetModules();
  const { compileCodec, decodeFromBytes, encodeToBytes } = await import('./codec.js');
  const type = productType({ id: primitiveType('u64'), name: primitiveType('string') });
  for (let i = 0; i < 3; i++) {
    const codec = compileCodec(type);
    const bytes = encodeToBytes(codec, { id: 1n, name: 'ada' });
    expect(decodeFromBytes(codec, bytes)).toEqual({ id: 1n, name: 'ada' });
  }
  expect(attempts).toBe(1);
});
