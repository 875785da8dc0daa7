import { ZOO } from '../../src/protocols/spacetimedb/codegen/testing/zoo-def.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';
import { ScheduleAt, TimeDuration, Timestamp } from '../../src/values/timestamp.js';
import { Uuid } from '../../src/values/uuid.js';

/* A row and arguments of the definition with one of everything. */

export const ZOO_TYPESPACE = ZOO.schema.typespace;
export const ZOO_ROW_TYPE = ZOO.schema.tables[0]!.rowType;
export const ZOO_PARAMS = ZOO.reducers.find(({ name }) => name === 'delete')!.params;

export const ZOO_ROW = {
  animal_id: 2n ** 53n - 1n,
  tag_name: 'ti"ger',
  home: { x: 0.5, y: -2 },
  body: { tag: 'square', value: { x: 1.5, y: 3.25 } },
  tree: {
    name: 'root',
    children: [{ name: 'leaf', children: [], shape: undefined }],
    shape: { tag: 'nothing' },
  },
  root: {
    folders: [
      { tag: 'file', value: 'a.txt' },
      { tag: 'folder', value: { folders: [] } },
    ],
  },
  color: { tag: 'dark_green' },
  owner: new Identity('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38'),
  seen_by: new ConnectionId(0xabcdn),
  born: new Timestamp(1_700_000_000_123_456n),
  age: new TimeDuration(-5n),
  key: new Uuid(255n),
  feed_at: ScheduleAt.time(9n),
  photo: Uint8Array.of(0, 255),
  notes: ['é', ''],
  nick_name: 'x',
  checked: { err: 'no' },
  inline: { deep_field: 7 },
};

export const ZOO_ARGUMENTS = { folder: ZOO_ROW.root, until: new Timestamp(3n) };
