// 512 bytes: a path of eight UUIDs, and far below the 16 KiB that all headers of a handshake may have.
export const ROOM_ID_BYTES_MAX = 512;

const utf8 = new TextEncoder();

/** What a room is called: a path without leading slashes. The empty one is a room as well: wiredb's default. */
export type RoomIdCheck =
  | { readonly kind: 'valid'; readonly id: string }
  | { readonly kind: 'invalid'; readonly reason: string };

/** The canonical form of a name that a client gave, already percent-decoded. */
export function checkRoomId(name: string): RoomIdCheck {
  const id = name.replace(/^\/+/, '');
  if (utf8.encode(id).length > ROOM_ID_BYTES_MAX)
    return { kind: 'invalid', reason: `the room's name is longer than ${ROOM_ID_BYTES_MAX} bytes` };
  // eslint-disable-next-line no-control-regex -- exactly these are refused
  if (/[\u0000-\u001f\u007f]/.test(id))
    return { kind: 'invalid', reason: "the room's name holds a control character" };
  if (id.split(/[/\\]/).some((part) => part === '.' || part === '..'))
    return { kind: 'invalid', reason: "the room's name holds `.` or `..` as a part" };
  return { kind: 'valid', id };
}
