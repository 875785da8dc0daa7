import * as Y from 'yjs';

/** About 1.2 MB: 68,000 insertions at random places, as one update. */
export function largeDocument(): Uint8Array {
  const doc = new Y.Doc();
  // As long as real ones are: each struct names its neighbours.
  doc.clientID = 4_000_000_007;
  const text = doc.getText('t');
  let seed = 7;
  doc.transact(() => {
    for (let i = 0; i < 68_000; i++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      text.insert(seed % (i + 1), 'x');
    }
  });
  return Y.encodeStateAsUpdate(doc);
}

// 48 MB: from 64 on the server would write a snapshot while opens are measured.
export const COLD_ROOMS = 40;
