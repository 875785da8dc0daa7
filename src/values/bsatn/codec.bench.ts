import { bench, run, do_not_optimize as keep } from 'mitata';
import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { arrayType, primitiveType, productType, sumType, UNIT_TYPE } from '../algebraic-type.js';
import { Identity } from '../identity.js';
import { IDENTITY_TYPE } from '../special-types.js';
import { compileCodec } from './codec.js';

/*
 * The mixed row of 86 bytes: u64, Identity, string, two f32, u32, bool, array<u32>, sum. 64 different rows in turn, so
 * that nothing is folded away. Run: npx tsx src/values/bsatn/codec.bench.ts
 */

const row = productType({
  id: primitiveType('u64'),
  owner: IDENTITY_TYPE,
  name: primitiveType('string'),
  x: primitiveType('f32'),
  y: primitiveType('f32'),
  level: primitiveType('u32'),
  alive: primitiveType('bool'),
  items: arrayType(primitiveType('u32')),
  state: sumType({ Idle: UNIT_TYPE, Busy: primitiveType('u32') }),
});

const rows = Array.from({ length: 64 }, (_, i) => ({
  id: BigInt(i) * 1_000_003n,
  owner: new Identity((0xc200n << 240n) | (BigInt(i) << 100n) | BigInt(i)),
  name: `player${10 + i}`,
  x: i + 0.5,
  y: -i,
  level: i * 70_000,
  alive: i % 2 === 0,
  items: [i, i + 1, i + 2],
  state: { tag: 'Busy', value: i },
}));

for (const codegen of [true, false]) {
  const codec = compileCodec(row, undefined, { codegen });
  const kind = codegen ? 'generated' : 'closures';
  const writer = new ByteWriter(8192);
  const encoded = rows.map((value) => {
    codec.encode(writer, value);
    return writer.finish();
  });
  const messageAt = (at: number): Uint8Array => encoded[at & 63] ?? new Uint8Array();
  let i = 0;
  bench(`encode ${messageAt(0).length} bytes, ${kind}`, () => {
    writer.reset();
    codec.encode(writer, rows[i++ & 63]);
    keep(writer.length);
  });
  bench(`decode ${messageAt(0).length} bytes, ${kind}`, () => {
    keep(codec.decode(new ByteReader(messageAt(i++))));
  });
}

await run();
