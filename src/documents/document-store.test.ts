import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { documentToJson, documentToText } from './document-json.js';
import { decodeDocumentSection, encodeDocumentSection } from './document-section.js';
import {
  DocumentStore,
  documentLimitsDefault,
  type DocumentStoreOptions,
  type Missing,
} from './document-store.js';
import { mergeAll } from './merge-updates.js';
import { type Merger, mergeHere } from './merger.js';
import { restoreVersion } from './restore-version.js';
import { Shelf } from './shelf.js';
import type { StoredDocument } from './stored-document.js';
import { Identity } from '../values/identity.js';

const ada = Identity.fromString('11'.repeat(32));
const author = { identity: ada, connectionId: undefined };

interface Made {
  readonly store: DocumentStore;
  readonly log: Uint8Array[];
  /** How far the log is on disk; all of it if left out. */
  durableOffset: number | undefined;
}

/** A store with a log of sections in memory. */
function makeStore(options: DocumentStoreOptions = {}): Made {
  const log: Uint8Array[] = [];
  const store = new DocumentStore(options);
  const made: Made = { store, log, durableOffset: undefined };
  store.attachLog({
    append: (section) => ({ offset: log.push(section.slice()), timestampMicros: log.length * 1000 }),
    get durableOffset() {
      return made.durableOffset ?? log.length;
    },
  });
  return made;
}

function replayed(log: readonly Uint8Array[]): DocumentStore {
  const store = new DocumentStore();
  for (const [i, bytes] of log.entries())
    store.replay(bytes, { offset: i + 1, timestampMicros: 0, author: ada });
  return store;
}

/** Types a text one letter at a time. */
function type(store: DocumentStore, document: StoredDocument, text: string, doc = new Y.Doc()): Y.Doc {
  const send = (update: Uint8Array): void => void store.accept(document, update, author);
  doc.on('update', send);
  for (const letter of text) doc.getText('t').insert(doc.getText('t').length, letter);
  doc.off('update', send);
  return doc;
}

const textOf = (document: StoredDocument): string => documentToText(document.whole(), 't');

describe('the store', () => {
  it('takes an update once, and gives the log what it took', () => {
    const { store, log } = makeStore();
    const document = store.open('a');
    const doc = type(store, document, 'hi');
    const all = Y.encodeStateAsUpdate(doc);
    expect(store.accept(document, all, author)).toEqual({ kind: 'known' });
    expect(log.map((bytes) => decodeDocumentSection(bytes).room)).toEqual(['a', 'a']);
    expect(document.stateVector()).toEqual(Y.encodeStateVector(doc));
  });

  it('a deletion alone is news once', () => {
    const { store } = makeStore();
    const document = store.open('a');
    const doc = type(store, document, 'hi');
    const before = Y.encodeStateVector(doc);
    doc.getText('t').delete(0, 1);
    const deletion = Y.encodeStateAsUpdate(doc, before);
    expect(store.accept(document, deletion, author).kind).toBe('accepted');
    expect(store.accept(document, deletion, author).kind).toBe('known');
    expect(textOf(document)).toBe('i');
  });

  it('a log that is read back gives the same document, and it is cold until somebody asks', () => {
    const { store, log } = makeStore();
    const document = store.open('a');
    const doc = type(store, document, 'x'.repeat(700));
    const copy = replayed(log).open('a');
    expect(copy.temperature).toBe('cold');
    expect(copy.stateVector()).toEqual(Y.encodeStateVector(doc));
    expect(copy.temperature).toBe('lazy');
    expect(textOf(copy)).toBe('x'.repeat(700));
  });

  it('old updates merge in pieces of 64, so that thousands are a few dozen', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'y'.repeat(5000));
    expect(document.updateCount).toBeLessThan(170);
    expect(textOf(document)).toBe('y'.repeat(5000));
  });

  it('a snapshot of sections keeps contents, authors and offsets', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'abc');
    const copy = new DocumentStore();
    for (const { bytes } of store.capture())
      copy.replay(bytes, { offset: 99, timestampMicros: 0, author: undefined });
    expect(copy.open('a').versions()).toEqual(document.versions());
    expect(document.versions().map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(document.versions()[0]?.author?.toHexString()).toBe('11'.repeat(32));
  });

  it('what the log lost is forgotten', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'abc');
    store.takeBack(2);
    expect(textOf(document)).toBe('ab');
  });

  it('a document grows to its limit and not past it', () => {
    const { store } = makeStore();
    const document = store.open('a');
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'hello');
    const update = Y.encodeStateAsUpdate(doc);
    const limits = { ...documentLimitsDefault, documentBytesMax: update.length };
    expect(() =>
      store.accept(document, update, author, { ...limits, documentBytesMax: update.length - 1 }),
    ).toThrow('grow past');
    expect(store.accept(document, update, author, limits).kind).toBe('accepted');
  });

  it('asking for a name costs nothing once everybody has left', () => {
    const { store } = makeStore();
    store.close(store.open('nobody wrote here'));
    expect(store.ids).toEqual([]);
  });
});

describe('memory', () => {
  it('a document that nobody uses is on the shelf, with what it holds, and comes back as it was', () => {
    const shelf = new Shelf();
    const { store } = makeStore({ shelf });
    const doc = type(store, store.open('a'), 'x'.repeat(300));
    store.close(store.open('a'));
    store.close(store.open('a'));
    const again = store.open('a');
    expect(again.temperature).toBe('lazy');
    expect(again.stateVector()).toEqual(Y.encodeStateVector(doc));
    expect(textOf(again)).toBe('x'.repeat(300));
    const versions = again.versions();
    store.close(again);
    store.close(again);
    expect(store.open('a')).not.toBe(again);
    expect(store.open('a').versions()).toEqual(versions);
  });

  it('opening and closing without a change writes nothing', () => {
    const shelf = new Shelf();
    const { store } = makeStore({ shelf });
    const document = store.open('a');
    type(store, document, 'abc');
    store.close(document);
    const { usedBytes, extentBytes } = shelf;
    for (let i = 0; i < 10; i++) store.close(store.open('a'));
    expect([shelf.usedBytes, shelf.extentBytes]).toEqual([usedBytes, extentBytes]);
  });

  it('what a large document holds in memory does not grow with it, and its shelf not with its history', () => {
    const shelf = new Shelf();
    const { store } = makeStore({ shelf });
    const document = store.open('a');
    const doc = new Y.Doc();
    doc.on('update', (update: Uint8Array) => void store.accept(document, update, author));
    for (let i = 0; i < 2000; i++) doc.getText('t').insert((i * 7919) % (i + 1), 'x'.repeat(50));
    expect(document.bytes).toBeGreaterThan(100_000);
    expect(document.heldBytes).toBeLessThan(20_000);
    expect(shelf.usedBytes).toBeLessThan(document.bytes * 1.3);
  });

  it('contents that were asked for are forgotten as others are, oldest first, and when nobody asks again', () => {
    const { store } = makeStore({ cacheBytesMax: 2500 });
    const documents = ['a', 'b', 'c'].map((id) => store.open(id));
    for (const document of documents) {
      const doc = new Y.Doc();
      doc.getText('t').insert(0, 'x'.repeat(1000));
      store.accept(document, Y.encodeStateAsUpdate(doc), author);
      document.whole();
    }
    const cached = (): boolean[] => documents.map(({ cachedBytes }) => cachedBytes > 0);
    expect(cached()).toEqual([false, true, true]);
    store.forgetUnused();
    documents[2]!.whole();
    store.forgetUnused();
    expect(cached()).toEqual([false, false, true]);
  });

  it('a snapshot sees the documents as they were when it was begun', () => {
    const { store } = makeStore();
    const [a, b] = [store.open('a'), store.open('b')];
    type(store, a, 'x'.repeat(300));
    type(store, b, 'y'.repeat(300));
    store.close(b);
    const captured = store.capture();
    const doc = type(store, a, 'z'.repeat(300));
    type(store, store.open('b'), 'z'.repeat(300), doc);
    const copy = new DocumentStore();
    for (const { bytes } of captured)
      copy.replay(bytes, { offset: 99, timestampMicros: 0, author: undefined });
    captured.release();
    expect([textOf(copy.open('a')), textOf(copy.open('b'))]).toEqual(['x'.repeat(300), 'y'.repeat(300)]);
  });

  it('what the log lost is forgotten on the shelf, too', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'abc');
    store.close(document);
    const never = store.open('b');
    type(store, never, 'x');
    store.close(never);
    store.takeBack(2);
    expect(textOf(store.open('a'))).toBe('ab');
    expect(store.ids).toEqual(['a']);
  });

  it('a log of many documents is read back with no more than some megabytes of them in memory', () => {
    const shelf = new Shelf();
    const copy = new DocumentStore({ shelf });
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'x');
    const update = Y.encodeStateAsUpdate(doc);
    for (let i = 0; i < 10_000; i++) {
      const bytes = encodeDocumentSection({ room: `r${i}`, update, origin: undefined });
      copy.replay(bytes, { offset: i + 1, timestampMicros: 0, author: ada });
    }
    // A kilobyte each, and 8 MiB of them at most.
    expect(shelf.usedBytes).toBeGreaterThan(1000 * 64);
    expect([textOf(copy.open('r0')), textOf(copy.open('r9999'))]).toEqual(['x', 'x']);
  });

  it('a Y.Doc that somebody has kept still writes when its document is closed', () => {
    const { store } = makeStore();
    const document = store.open('a');
    const kept = document.heat((update) => void store.accept(document, update, author));
    store.close(document);
    kept.getText('t').insert(0, 'late');
    expect(textOf(store.open('a'))).toBe('late');
  });
});

describe('what is not on disk yet', () => {
  it('is told to nobody', () => {
    const made = makeStore();
    const document = made.store.open('a');
    type(made.store, document, 'abc');
    made.durableOffset = 2;
    const missing = made.store.missingFor(document, Uint8Array.of(0)) as Missing;
    expect(documentToText(missing.update, 't')).toBe('ab');
    made.durableOffset = 3;
    expect(documentToText(made.store.durableAfter(document, 0), 't')).toBe('abc');
    expect(made.store.durableAfter(document, 3)).toEqual(Uint8Array.of(0, 0));
  });

  it('is not merged, since it may be taken back', () => {
    const made = makeStore();
    made.durableOffset = 0;
    const document = made.store.open('a');
    type(made.store, document, 'x'.repeat(400));
    expect(document.updateCount).toBe(400);
    made.durableOffset = 400;
    type(made.store, document, 'y');
    expect(document.updateCount).toBeLessThan(140);
  });
});

describe('long merges', () => {
  /** A merger whose answers wait until they are let go. */
  function slowMerger(): { merger: Merger; finish: () => void; calls: string[] } {
    const calls: string[] = [];
    const waiting: (() => void)[] = [];
    const later = <T>(call: string, make: () => Promise<T>): Promise<T> => {
      calls.push(call);
      return new Promise<void>((resolve) => void waiting.push(resolve)).then(make);
    };
    const merger: Merger = {
      merge: (updates) => later('merge', () => mergeHere.merge(updates)),
      diff: (whole, vector) => later('diff', () => mergeHere.diff(whole, vector)),
      close: () => {},
    };
    return { merger, calls, finish: () => waiting.splice(0).forEach((resolve) => resolve()) };
  }

  const BIG = 'x'.repeat(6000);

  it('are done elsewhere, and the document goes on meanwhile', async () => {
    const { merger, finish, calls } = slowMerger();
    const { store } = makeStore({ merger });
    const document = store.open('a');
    const doc = new Y.Doc();
    doc.on('update', (update: Uint8Array) => void store.accept(document, update, author));
    for (let i = 0; i < 128; i++) doc.getText('t').insert(0, BIG);
    expect([document.updateCount, calls]).toEqual([128, ['merge']]);
    doc.getText('t').insert(0, 'end');
    store.close(document);
    finish();
    await expect.poll(() => document.updateCount).toBe(66);
    expect(textOf(store.open('a'))).toBe(doc.getText('t').toJSON());
  });

  it('several who ask for a large document wait for one merge, and hear nothing twice that came meanwhile', async () => {
    const { merger, finish, calls } = slowMerger();
    const { store } = makeStore({ merger });
    const document = store.open('a');
    const doc = new Y.Doc();
    doc.on('update', (update: Uint8Array) => void store.accept(document, update, author));
    for (let i = 0; i < 50; i++) doc.getText('t').insert(0, BIG);
    const vector = Y.encodeStateVector(doc);
    const asked = [Uint8Array.of(0), Uint8Array.of(0), vector].map((v) => store.missingFor(document, v));
    doc.getText('t').insert(0, 'new');
    finish();
    await expect.poll(() => calls).toEqual(['merge', 'diff']);
    finish();
    const [first, second, third] = await Promise.all(asked.map(async (answer) => answer));
    expect(first).toEqual(second);
    expect(documentToText(first!.update, 't')).toBe(BIG.repeat(50));
    expect(third).toEqual({ update: Uint8Array.of(0, 0), offset: 50 });
    const rest = store.durableAfter(document, first!.offset);
    expect(documentToText(mergeAll([first!.update, rest]), 't')).toBe(`new${BIG.repeat(50)}`);
  });
});

describe('the past', () => {
  it('is shown at an offset, and restored as an edit that can be taken back', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'abcdef');
    expect(documentToText(document.at(3), 't')).toBe('abc');
    const now = document.whole();
    store.accept(document, restoreVersion(document.at(3), now), author);
    expect(textOf(document)).toBe('abc');
    store.accept(document, restoreVersion(now, document.whole()), author);
    expect(textOf(document)).toBe('abcdef');
  });

  it('a root that did not exist then is empty again', () => {
    const then = new Y.Doc();
    then.getText('t').insert(0, 'x');
    const before = Y.encodeStateAsUpdate(then);
    then.getMap('m').set('k', 1);
    const update = restoreVersion(before, Y.encodeStateAsUpdate(then));
    Y.applyUpdate(then, update);
    expect([then.getMap('m').toJSON(), then.getText('t').toJSON()]).toEqual([{}, 'x']);
  });
});

describe('a hot document', () => {
  it('follows what clients write and hands on what server code writes', () => {
    const { store } = makeStore();
    const document = store.open('a');
    const edits: Uint8Array[] = [];
    const hot = document.heat((update) => void edits.push(update));
    type(store, document, 'abc');
    expect(hot.getText('t').toJSON()).toBe('abc');
    expect(edits).toHaveLength(0);
    hot.getText('t').insert(3, '!');
    expect(edits).toHaveLength(1);
    document.forgetCached();
    expect(document.temperature).toBe('lazy');
    hot.getText('t').insert(0, '?');
    expect(edits).toHaveLength(2);
  });
});

describe('as JSON', () => {
  it('text, map, array and xml are what they are', () => {
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'hi');
    doc.getMap('m').set('k', [1]);
    doc.getArray('a').insert(0, [1, { b: 2 }]);
    doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')]);
    expect(documentToJson(Y.encodeStateAsUpdate(doc))).toEqual({
      t: 'hi',
      m: { k: [1] },
      a: [1, { b: 2 }],
      x: '<p></p>',
    });
  });
});

describe('a section of the log', () => {
  it('with and without an origin', () => {
    const update = Uint8Array.of(0, 0);
    expect(decodeDocumentSection(encodeDocumentSection({ room: 'ü', update, origin: undefined }))).toEqual({
      room: 'ü',
      update,
      origin: undefined,
    });
    const origin = { offset: 7, timestampMicros: 1_700_000_000_000_000, author: undefined };
    expect(decodeDocumentSection(encodeDocumentSection({ room: '', update, origin })).origin).toEqual(origin);
  });
});
