import { expect, it } from 'vitest';

import { seededRandom } from '../../../base/random.js';
import { isId } from '../messages/ids.js';
import { RandomIds } from './services.js';

it('ids of global scope are spread over the range', () => {
  const random = new RandomIds(seededRandom(1));
  const ids = Array.from({ length: 1000 }, () => random.next());
  expect(ids.every(isId)).toBe(true);
  expect(Math.max(...ids)).toBeGreaterThan(2 ** 52.9);
  expect(ids.filter((id) => id > 2 ** 52).length).toBeGreaterThan(400);
});
