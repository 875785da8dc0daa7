import { isId } from './ids.js';
import type { Dict, Message } from './message.js';
import { MessageError } from './message-error.js';

/*
 * The layout table of message.ts as data, for clients, who read messages by it, and for fields.ts, which compiles it.
 * Before each field stands what it holds:
 *
 *   #  id        0  id, or 0      $  text       {  dict       ?  dict, may be missing       %  integer       *  payload
 */
const TABLE = `1 $realm {details
2 #session {details
3 {details $reason *
4 $method {extra
5 $signature {extra
6 {details $reason
8 %requestType #request {details $error *
16 #request {options $topic *
17 #request #publication
32 #request {options $topic
33 #request #subscription
34 #request #subscription
35 0request ?details
36 #subscription #publication {details *
48 #request {options $procedure *
49 #request {options
50 #request {details *
64 #request {options $procedure
65 #request #registration
66 #request #registration
67 0request ?details
68 #request #registration {details *
69 #request {options
70 #request {options *
337 #publication`;

export type FieldKind = '#' | '0' | '$' | '{' | '?' | '%';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
}

export interface Layout {
  readonly type: number;
  readonly fields: readonly Field[];
  readonly hasPayload: boolean;
  /** How many elements there are at least, with the code and without a payload; and at most, with one. */
  readonly least: number;
  readonly most: number;
}

/** By code. */
export const layouts: ReadonlyMap<number, Layout> = new Map(TABLE.split('\n').map(parseRow));

function parseRow(row: string): readonly [code: number, Layout] {
  const [code, ...columns] = row.split(' ');
  const type = Number(code);
  const hasPayload = row.endsWith('*');
  if (hasPayload) columns.pop();
  const count = columns.length + 1;
  return [
    type,
    {
      type,
      fields: columns.map((column) => ({ name: column.slice(1), kind: column[0] as FieldKind })),
      hasPayload,
      least: row.includes('?') ? count - 1 : count,
      most: hasPayload ? count + 2 : count,
    },
  ];
}

/** Whether `value` is what a serializer makes of a dict. */
export function isDict(value: unknown): value is Dict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** What holds for values of each kind, and how a good one is called. */
export const CHECKS: Readonly<Record<FieldKind, readonly [test: (value: unknown) => boolean, want: string]>> =
  {
    '#': [isId, 'an id'],
    0: [(value) => value === 0 || isId(value), 'an id'],
    $: [(value) => typeof value === 'string', 'a string'],
    '{': [isDict, 'a dict'],
    '?': [(value) => value === undefined || isDict(value), 'a dict'],
    '%': [Number.isInteger, 'an integer'],
  };

function refuse(why: string): never {
  throw new MessageError('BAD_FIELD', why);
}

/** The layout of a message with so many elements. Throws MessageError for what is no code, and for too few or many elements. */
export function layoutOf(type: unknown, elements: number): Layout {
  if (typeof type !== 'number') refuse('a message begins with a number');
  const layout = layouts.get(type);
  if (layout === undefined) throw new MessageError('UNKNOWN_TYPE', `no message has the code ${type}`);
  if (elements < layout.least || elements > layout.most) refuse(`message ${type} has ${elements} elements`);
  return layout;
}

/** Throws BAD_FIELD. */
export function refuseField({ type }: Layout, { name, kind }: Field): never {
  refuse(`message ${type}: ${name} is not ${CHECKS[kind][1]}`);
}

/** The args and kwargs of a payload that was decoded. */
export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) refuse('args is not a list');
  if (kwargs !== undefined && !isDict(kwargs)) refuse('kwargs is not a dict');
}

/** A message from its elements, `[code, ...]`. Throws BAD_FIELD for what has the wrong type. */
export function readMessage<P>(layout: Layout, elements: readonly unknown[], payload: P): Message<P> {
  const message: Record<string, unknown> = { type: elements[0] };
  let at = 1;
  for (const field of layout.fields) {
    const value = elements[at++];
    if (!CHECKS[field.kind][0](value)) refuseField(layout, field);
    if (value !== undefined) message[field.name] = value;
  }
  if (layout.hasPayload) message['payload'] = payload;
  return message as unknown as Message<P>;
}

/** The elements of a message, without its payload. */
export function writeMessage<P>(message: Message<P>): unknown[] {
  const elements: unknown[] = [message.type];
  for (const { name } of layouts.get(message.type)!.fields) {
    const value = (message as unknown as Dict)[name];
    if (value !== undefined) elements.push(value);
  }
  return elements;
}
