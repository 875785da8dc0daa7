import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { documentToJson, documentToText } from './document-json.js';
import { decodeDocumentSection, encodeDocumentSection } from './document-section.js';
import { DocumentStore, documentLimitsDefault } from './document-store.js';
import { restoreVersion } from './restore-version.js';
import type { StoredDocument } from './stored-document.js';
import { Identity } from '../values/identity.js';

const ada = Identity.fromString('11'.repeat(32));
const author = { identity: ada, connectionId: undefined };

/** A store with a log of sections in memory. */
function makeStore(): { store: DocumentStore; log: Uint8Array[] } {
  const log: Uint8Array[] = [];
  const store = new DocumentStore();
  store.attachLog({
    append: (section) => ({ offset: log.push(section), timestampMicros: log.length * 1000 }),
    get durableOffset() {
      return log.length;
    },
  });
  return { store, log };
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

  it('old updates merge in pieces of 128, so that thousands are a few dozen', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'y'.repeat(5000));
    expect(document.updateCount).toBeLessThan(300);
    expect(textOf(document)).toBe('y'.repeat(5000));
  });

  it('a snapshot of sections keeps contents, authors and offsets', () => {
    const { store } = makeStore();
    const document = store.open('a');
    type(store, document, 'abc');
    const copy = new DocumentStore();
    for (const { bytes } of store.sections())
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
    document.cool();
    expect(document.temperature).toBe('cold');
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
