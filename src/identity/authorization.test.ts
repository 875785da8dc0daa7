import { describe, expect, it } from 'vitest';
import { parseAuthorization } from './authorization.js';

const query = (text: string): URLSearchParams => new URLSearchParams(text);

describe('parseAuthorization', () => {
  it('is undefined for an anonymous request', () => {
    expect(parseAuthorization({}, query('compression=None'))).toBeUndefined();
  });

  it('reads a bearer token, whatever the case of the scheme', () => {
    expect(parseAuthorization({ authorization: 'Bearer a.b-_.c' }, query(''))).toBe('a.b-_.c');
    expect(parseAuthorization({ authorization: 'bearer a.b.c' }, query(''))).toBe('a.b.c');
  });

  it('reads the query when there is no header', () => {
    expect(parseAuthorization({}, query('token=a.b.c'))).toBe('a.b.c');
  });

  it('prefers the header to the query', () => {
    expect(parseAuthorization({ authorization: 'Bearer header' }, query('token=query'))).toBe('header');
  });

  it.each(['Basic dG9rZW46eA==', 'Bearer', 'Bearer ', 'Bearer a b', 'a.b.c', '', 'Bearer a,b', 'Bearer é'])(
    'refuses the header %j even when the query has a token',
    (authorization) => {
      expect(() => parseAuthorization({ authorization }, query('token=a.b.c'))).toThrow(
        expect.objectContaining({
          httpStatus: 400,
          message: 'Authorization is invalid: malformed token',
        }),
      );
    },
  );

  it('refuses an empty token in the query', () => {
    expect(() => parseAuthorization({}, query('token='))).toThrow('malformed token');
  });
});
