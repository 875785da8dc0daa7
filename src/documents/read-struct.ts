import { VarReader } from '../base/var-reader.js';
import { skipContent } from './scan-content.js';

/*
 * One struct of a Yjs update, encoding v1; see scan-update.ts for what is around it.
 *
 * | info    | u8: kind = info & 31; 0x80 has an origin, 0x40 has a right origin, 0x20 has a key           |
 * |         | kinds 0 (gc) and 10 (skip): varuint length, and that is all                                  |
 * | left    | client, clock; if 0x80                                                                       |
 * | right   | client, clock; if 0x40                                                                       |
 * | parent  | if neither: 1 and the root's name, or 0 and client, clock; then the key, if 0x20            |
 * | content | by kind: scan-content.ts                                                                     |
 */

export const StructKind = { gc: 0, deleted: 1, string: 4, skip: 10 } as const;

const KIND = 0x1f;
const HAS_KEY = 0x20;
const HAS_RIGHT = 0x40;
const HAS_LEFT = 0x80;

/** Where the parts of a struct stand. One object is filled again and again: a struct is read in tens of nanoseconds. */
export class StructView {
  kind = 0;
  /** In clocks. */
  length = 0;
  hasLeft = false;
  hasRight = false;
  hasKey = false;
  leftClient = 0;
  leftClock = 0;
  rightClient = 0;
  rightClock = 0;
  /** When neither side is there and the parent is no root. */
  hasParent = false;
  parentClient = 0;
  parentClock = 0;
  /** Bytes of the struct: its header, and behind that its content. */
  start = 0;
  contentAt = 0;
  end = 0;

  get isItem(): boolean {
    return this.kind !== StructKind.gc && this.kind !== StructKind.skip;
  }

  copyFrom(other: StructView): void {
    this.kind = other.kind;
    this.length = other.length;
    this.hasLeft = other.hasLeft;
    this.hasRight = other.hasRight;
    this.hasKey = other.hasKey;
    this.leftClient = other.leftClient;
    this.leftClock = other.leftClock;
    this.rightClient = other.rightClient;
    this.rightClock = other.rightClock;
    this.hasParent = other.hasParent;
    this.parentClient = other.parentClient;
    this.parentClock = other.parentClock;
    this.start = other.start;
    this.contentAt = other.contentAt;
    this.end = other.end;
  }
}

/** Reads the struct at the reader's place. Throws WireError. */
export function readStruct(reader: VarReader, view: StructView): void {
  view.start = reader.offset;
  const info = reader.readU8();
  view.kind = info & KIND;
  view.hasParent = false;
  if (view.isItem) {
    readLinks(reader, view, info);
    view.contentAt = reader.offset;
    view.length = skipContent(reader, view.kind);
  } else {
    view.hasLeft = view.hasRight = view.hasKey = false;
    view.contentAt = reader.offset;
    view.length = reader.readVarUint();
  }
  view.end = reader.offset;
}

function readLinks(reader: VarReader, view: StructView, info: number): void {
  view.hasLeft = (info & HAS_LEFT) !== 0;
  view.hasRight = (info & HAS_RIGHT) !== 0;
  view.hasKey = (info & HAS_KEY) !== 0;
  if (view.hasLeft) {
    view.leftClient = reader.readVarUint();
    view.leftClock = reader.readVarUint();
  }
  if (view.hasRight) {
    view.rightClient = reader.readVarUint();
    view.rightClock = reader.readVarUint();
  }
  if (view.hasLeft || view.hasRight) return;
  if (reader.readVarUint() === 1) {
    reader.readVarString();
  } else {
    view.hasParent = true;
    view.parentClient = reader.readVarUint();
    view.parentClock = reader.readVarUint();
  }
  if (view.hasKey) reader.readVarString();
}
