import type { IndexDef, SequenceDef, TableDef } from '../../../../engine/schema.js';
import type { Lifecycle } from '../../../../module/module-def.js';
import type { Typespace } from '../../../../values/algebraic-type.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';

/* Parts of a module definition that are alike in versions 9 and 10. */

export const LIFECYCLE_TAGS: Readonly<Record<Lifecycle, string>> = {
  init: 'Init',
  clientConnected: 'OnConnect',
  clientDisconnected: 'OnDisconnect',
};

export function describeAlgorithm({ algorithm, columns }: IndexDef): unknown {
  switch (algorithm) {
    case 'btree':
      return { tag: 'BTree', value: columns };
    case 'hash':
      return { tag: 'Hash', value: columns };
    default:
      return { tag: 'Direct', value: columns[0] };
  }
}

export function describeSequence({ column, start, minValue, maxValue, increment }: SequenceDef): object {
  return { column, start, min_value: minValue, max_value: maxValue, increment };
}

/** The values of columns that rows from before the column have, in BSATN. */
export function describeDefaults(
  table: TableDef,
  typespace: Typespace,
): readonly { readonly column: number; readonly value: Uint8Array }[] {
  return table.columns.flatMap(({ type, defaultValue }, column) =>
    defaultValue === undefined
      ? []
      : [{ column, value: encodeToBytes(compileCodec(type, typespace), defaultValue) }],
  );
}
