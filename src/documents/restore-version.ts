import * as Y from 'yjs';

const NOW = 'now';

/**
 * The update that brings a document from what it is to what it was. Nothing is forgotten: it takes back what came after `then` as an
 * edit of its own, so it can be taken back as well.
 */
export function restoreVersion(then: Uint8Array, now: Uint8Array): Uint8Array {
  const doc = new Y.Doc({ gc: false });
  Y.applyUpdate(doc, then);
  const undo = new Y.UndoManager(doc, { trackedOrigins: new Set([NOW]), captureTimeout: Infinity });
  Y.applyUpdate(doc, now, NOW);
  const before = Y.encodeStateVector(doc);
  while (undo.canUndo()) undo.undo();
  return Y.encodeStateAsUpdate(doc, before);
}
