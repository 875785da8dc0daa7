import * as Y from 'yjs';

/** The shared types of a document as JSON, by the name of their root. Roots are untyped in updates, so the kind is told by what is in them. */
export function documentToJson(update: Uint8Array): Record<string, unknown> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const json: Record<string, unknown> = {};
  for (const name of doc.share.keys()) json[name] = rootToJson(doc, name);
  return json;
}

export function documentToText(update: Uint8Array, root: string): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText(root).toJSON();
}

function rootToJson(doc: Y.Doc, name: string): unknown {
  const root = doc.share.get(name)!;
  if (root._map.size > 0) return doc.getMap(name).toJSON();
  for (let item = root._start; item !== null; item = item.right) {
    if (item.deleted) continue;
    const { content } = item;
    if (content instanceof Y.ContentString || content instanceof Y.ContentFormat)
      return doc.getText(name).toJSON();
    if (content instanceof Y.ContentType && content.type instanceof Y.XmlElement)
      return doc.getXmlFragment(name).toJSON();
    return doc.getArray(name).toJSON() as unknown;
  }
  return '';
}
