/** Which kind of client a socket's first frame shows. */
export type Dialect = 'plain' | 'hocuspocus';

/**
 * Tells the dialects apart by the first frame. Hocuspocus frames begin with the length of a document's name; y-protocols ones with a
 * message type, of which a client begins with 0, 1, 3 or 0x66. A name of one or three bytes is told by what follows it: the type
 * of its message, which is auth for a first frame.
 *
 *     dialectOf(Uint8Array.of(0, 0, 1, 0)) // 'plain'
 */
export function dialectOf(frame: Uint8Array): Dialect {
  const first = frame[0];
  if (first === undefined || first === 0) return 'plain';
  if (first !== 1 && first !== 3 && first !== 0x66) return 'hocuspocus';
  // A name of that length, the type auth and the body's type token.
  return frame[first + 1] === 2 && frame[first + 2] === 0 ? 'hocuspocus' : 'plain';
}
