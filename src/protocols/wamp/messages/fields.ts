import { CHECKS, layouts, readMessage, refuseField, writeMessage } from './layouts.js';
import type { Layout } from './layouts.js';
import type { Message } from './message.js';
import { Payload } from './payload.js';

export { isDict } from './layouts.js';

/*
 * Between a message and the elements of its array, without the payload, as fast as a router needs it: functions made from the
 * layout table, a pair for each message, two to four times as fast as reading the table. Where code may not be made from text, it is read.
 */

interface Codec {
  readonly read: (elements: readonly unknown[], payload: Payload) => Message;
  readonly write: (message: Message) => readonly unknown[];
}

const codecs: ReadonlyMap<number, Codec> = new Map(
  [...layouts].map(([type, layout]) => [type, makeCodec(type, layout)]),
);

function makeCodec(type: number, layout: Layout): Codec {
  try {
    return compile(type, layout);
  } catch {
    return { read: (elements, payload) => readMessage(layout, elements, payload), write: writeMessage };
  }
}

/**
 * For EVENT: `(e, payload) => ({ type: 36, subscription: tests[0](e[1]) ? e[1] : refuse(0), ..., payload })` and
 * `(m) => [36, m.subscription, m.publication, m.details]`. A field that may be missing is the last one.
 */
function compile(type: number, layout: Layout): Codec {
  const { fields, hasPayload } = layout;
  const names = fields.map(({ name }) => `m.${name}`);
  const entries = fields.map(
    ({ name }, i) => `${name}: tests[${i}](e[${i + 1}]) ? e[${i + 1}] : refuse(${i})`,
  );
  const reader = (count: number): string =>
    `({ type: ${type}, ${entries.slice(0, count).join(', ')}${hasPayload ? ', payload' : ''} })`;
  const writer = (count: number): string => `[${[type, ...names.slice(0, count)].join(', ')}]`;
  const { length } = fields;
  const isLastOptional = layout.least <= length;
  // eslint-disable-next-line typescript/no-implied-eval -- all names stand in the table.
  const make = new Function(
    'tests',
    'refuse',
    isLastOptional
      ? `return {
           read: (e) => e[${length}] === undefined ? ${reader(length - 1)} : ${reader(length)},
           write: (m) => ${names.at(-1)} === undefined ? ${writer(length - 1)} : ${writer(length)},
         }`
      : `return { read: (e, payload) => ${reader(length)}, write: (m) => ${writer(length)} }`,
  );
  return make(
    fields.map(({ kind }) => CHECKS[kind][0]),
    (i: number) => refuseField(layout, fields[i]!),
  ) as Codec;
}

/** A message from its elements, `[code, ...]`, as many as its layout has. Throws BAD_FIELD for what has the wrong type. */
export function messageFromFields(elements: readonly unknown[], payload: Payload): Message {
  return codecs.get(elements[0] as number)!.read(elements, payload);
}

/** The elements of a message, without its payload. */
export function fieldsOf(message: Message): readonly unknown[] {
  return codecs.get(message.type)!.write(message);
}

/** The payload of a message; empty for messages that have none. */
export function payloadOf(message: Message): Payload {
  return 'payload' in message ? message.payload : Payload.empty;
}
