import type { RoomLimits } from '../../../documents/room-definition.js';

export const roomLimitsDefault: RoomLimits = {
  documentBytesMax: 64 * 1024 * 1024, // fifty large documents of 1.2 MB
  updateBytesMax: 16 * 1024 * 1024, // what one frame may hold is twice that
  updatesPerSecond: 5_000, // two hundred typists behind one proxy's token
  clientsMax: 2_000, // four times the largest room that was measured
};

// y-websocket gives up a socket on which it has heard nothing for 30 s, and pings do not count.
export const SILENCE_MS_MAX = 20_000;
// A member list that changes all the time must not have `authorize` asked for two thousand people each time.
export const REAUTHORIZE_MS_MIN = 100;
// y-protocols looks every 3 s for who is gone.
export const TICK_MS = 3_000;
// What a client may send before it is known who he is: a document that was written offline, and a few hundred edits.
export const QUEUE_BYTES_MAX = 5 * 1024 * 1024;
export const QUEUE_FRAMES_MAX = 1_000;
// As Hocuspocus: documents of one socket. Each costs a few hundred bytes.
export const DOCUMENTS_PER_SOCKET_MAX = 1_000;
export const DOCUMENTS_UNAUTHENTICATED_MAX = 100;
// From the handshake to the first frame: wiredb and Yjs clients speak at once.
export const AWARENESS_ENTRIES_MAX = 1_000;
