/** Close codes of rooms' sockets. 44xx are those that Hocuspocus uses. */
export const RoomClose = {
  textFrame: 1003,
  malformed: 1007,
  policy: 1008,
  tooLarge: 1009,
  failed: 1011,
  away: 1001,
  unauthorized: 4401,
  forbidden: 4403,
} as const;
