import { isId } from './ids.js';
import type { Dict, Message } from './message.js';
import { MessageError } from './message-error.js';

/*
 * The layout table of message.ts as data, for clients, who read messages by it, and for fields.ts, which compiles it.
 * Before each field stands what it holds:
 *
 *   #  id        0  id, or 0      $  text       {  dict       ?  dict, may be missing       %  integer       *  payload
 */
const TABLE: Readonly<Record<number, string>> = {
  1: 'HELLO $realm {details',
  2: 'WELCOME #session {details',
  3: 'ABORT {details $reason *',
  4: 'CHALLENGE $method {extra',
  5: 'AUTHENTICATE $signature {extra',
  6: 'GOODBYE {details $reason',
  8: 'ERROR %requestType #request {details $error *',
  16: 'PUBLISH #request {options $topic *',
  17: 'PUBLISHED #request #publication',
  32: 'SUBSCRIBE #request {options $topic',
  33: 'SUBSCRIBED #request #subscription',
  34: 'UNSUBSCRIBE #request #subscription',
  35: 'UNSUBSCRIBED 0request ?details',
  36: 'EVENT #subscription #publication {details *',
  48: 'CALL #request {options $procedure *',
  49: 'CANCEL #request {options',
  50: 'RESULT #request {details *',
  64: 'REGISTER #request {options $procedure',
  65: 'REGISTERED #request #registration',
  66: 'UNREGISTER #request #registration',
  67: 'UNREGISTERED 0request ?details',
  68: 'INVOCATION #request #registration {details *',
  69: 'INTERRUPT #request {options',
  70: 'YIELD #request {options *',
  337: 'EVENT_RECEIVED #publication',
};

export type FieldKind = '#' | '0' | '$' | '{' | '?' | '%';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
}

export interface Layout {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly hasPayload: boolean;
  /** How many elements there are at least, with the code and without a payload; and at most, with one. */
  readonly least: number;
  readonly most: number;
}

/** By code. */
export const layouts: ReadonlyMap<number, Layout> = new Map(
  Object.entries(TABLE).map(([code, row]) => [Number(code), parseRow(row)]),
);

function parseRow(row: string): Layout {
  const [name = '', ...columns] = row.split(' ');
  const fields = columns.filter((column) => column !== '*');
  const hasPayload = fields.length < columns.length;
  const count = 1 + fields.length;
  return {
    name,
    fields: fields.map((field) => ({ name: field.slice(1), kind: field[0] as FieldKind })),
    hasPayload,
    least: row.includes('?') ? count - 1 : count,
    most: hasPayload ? count + 2 : count,
  };
}

/** `messageName(337)` is `EVENT_RECEIVED`. */
export function messageName(type: number): string {
  return layouts.get(type)?.name ?? `message type ${type}`;
}

/** Whether `value` is what a serializer makes of a dict. */
export function isDict(value: unknown): value is Dict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** What holds for values of each kind, and how a good one is called. */
export const CHECKS: Readonly<Record<FieldKind, readonly [test: (value: unknown) => boolean, want: string]>> =
  {
    '#': [isId, 'an id'],
    0: [(value) => value === 0 || isId(value), 'an id'],
    $: [isText, 'a string'],
    '{': [isDict, 'a dict'],
    '?': [(value) => value === undefined || isDict(value), 'a dict'],
    '%': [Number.isInteger, 'an integer'],
  };

/** The layout of a message with so many elements. Throws MessageError for what is no code, and for too few or many elements. */
export function layoutOf(type: unknown, elements: number): Layout {
  const layout = layouts.get(type as number);
  if (layout === undefined) {
    throw typeof type === 'number'
      ? new MessageError('UNKNOWN_TYPE', `no message has the code ${type}`)
      : new MessageError('BAD_FIELD', 'a message begins with its code, a number');
  }
  if (elements < layout.least) throw new MessageError('BAD_FIELD', `${layout.name} has too few elements`);
  if (elements > layout.most) throw new MessageError('BAD_FIELD', `${layout.name} has too many elements`);
  return layout;
}

/** Throws BAD_FIELD. */
export function refuseField(layout: Layout, { name, kind }: Field): never {
  throw new MessageError('BAD_FIELD', `${layout.name}.${name} is not ${CHECKS[kind][1]}`);
}

/** The args and kwargs of a payload that was decoded. */
export function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) throw new MessageError('BAD_FIELD', 'args is not a list');
  if (kwargs !== undefined && !isDict(kwargs)) throw new MessageError('BAD_FIELD', 'kwargs is not a dict');
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
