import { isUnitType } from '../algebraic-type.js';
import type {
  AlgebraicType,
  ArrayType,
  PrimitiveKind,
  ProductElement,
  ProductType,
  SumType,
} from '../algebraic-type.js';
import { optionInner, resultInner, specialProduct } from '../special-types.js';
import type { TypeMeasurer } from './measure.js';
import { SPECIALS } from './primitives.js';
import { CodeLines, quote } from './shared-code.js';
import type { SharedCode } from './shared-code.js';

/*
 * The body of `encode(w, x, depth)`. Names in the code: `w` the writer, `x` the value, `b` and `v` its bytes and view
 * in a run of fixed size, `o` the offset of the run.
 */

/** Null and undefined fail by themselves, with a TypeError that the caller explains. */
const CHECKS: Readonly<Record<PrimitiveKind, (x: string) => string>> = {
  string: (x) => `typeof ${x} !== 'string'`,
  bool: (x) => `typeof ${x} !== 'boolean'`,
  i8: (x) => `${x} << 24 >> 24 !== ${x}`,
  u8: (x) => `(${x} & 255) !== ${x}`,
  i16: (x) => `${x} << 16 >> 16 !== ${x}`,
  u16: (x) => `(${x} & 65535) !== ${x}`,
  i32: (x) => `(${x} | 0) !== ${x}`,
  u32: (x) => `${x} >>> 0 !== ${x}`,
  i64: (x) => `typeof ${x} !== 'bigint' || BigInt.asIntN(64, ${x}) !== ${x}`,
  u64: (x) => `typeof ${x} !== 'bigint' || BigInt.asUintN(64, ${x}) !== ${x}`,
  i128: (x) => `!fitsSigned(${x}, 128)`,
  u128: (x) => `!fitsUnsigned(${x}, 128)`,
  i256: (x) => `!fitsSigned(${x}, 256)`,
  u256: (x) => `!fitsUnsigned(${x}, 256)`,
  f32: (x) => `typeof ${x} !== 'number'`,
  f64: (x) => `typeof ${x} !== 'number'`,
};

const STORES: Readonly<Record<Exclude<PrimitiveKind, 'string'>, (at: string, x: string) => string>> = {
  bool: (at, x) => `b[${at}] = ${x} ? 1 : 0`,
  i8: (at, x) => `b[${at}] = ${x}`,
  u8: (at, x) => `b[${at}] = ${x}`,
  i16: (at, x) => `v.setInt16(${at}, ${x}, true)`,
  u16: (at, x) => `v.setUint16(${at}, ${x}, true)`,
  i32: (at, x) => `v.setInt32(${at}, ${x}, true)`,
  u32: (at, x) => `v.setUint32(${at}, ${x}, true)`,
  i64: (at, x) => `v.setBigInt64(${at}, ${x}, true)`,
  u64: (at, x) => `v.setBigUint64(${at}, ${x}, true)`,
  i128: (at, x) => `writeInteger(v, ${at}, ${x}, 16)`,
  u128: (at, x) => `writeInteger(v, ${at}, ${x}, 16)`,
  i256: (at, x) => `writeInteger(v, ${at}, ${x}, 32)`,
  u256: (at, x) => `writeInteger(v, ${at}, ${x}, 32)`,
  f32: (at, x) => `v.setFloat32(${at}, ${x}, true)`,
  f64: (at, x) => `v.setFloat64(${at}, ${x}, true)`,
};

export function emitEncoder(type: AlgebraicType, measurer: TypeMeasurer, shared: SharedCode): string {
  const emitter = new EncoderEmitter(measurer, shared);
  emitter.emit(type, 'x', 0);
  return emitter.code.toString();
}

class EncoderEmitter {
  readonly code = new CodeLines();
  readonly #measurer: TypeMeasurer;
  readonly #shared: SharedCode;

  constructor(measurer: TypeMeasurer, shared: SharedCode) {
    this.#measurer = measurer;
    this.#shared = shared;
  }

  /** @param x an expression without effects: a local name. @param nest how deep in this function's value it stands. */
  emit(type: AlgebraicType, x: string, nest: number): void {
    if (this.#measurer.measure(type).isFlat && !this.#isCall(type)) return this.#run([{ type, x }]);
    switch (type.kind) {
      case 'ref':
        return this.code.add(`encode${this.#shared.callRef(type.ref)}(w, ${x}, depth + ${nest});`);
      case 'array':
        return this.#array(type, x, nest);
      case 'product':
        return this.#product(type, x, nest);
      case 'sum':
        return this.#sum(type, x, nest);
      default:
        return this.code.add(`if (${CHECKS[type.kind](x)}) failMismatch();\nw.writeString(${x});`);
    }
  }

  #isCall(type: AlgebraicType): boolean {
    return type.kind === 'ref' && !this.#measurer.isInlined(type.ref);
  }

  /** Values of fixed size one after the other: one reserve, then stores at known places. */
  #run(parts: readonly { type: AlgebraicType; x: string }[]): void {
    const total = parts.reduce((bytes, part) => bytes + this.#measurer.measure(part.type).fixedBytes!, 0);
    this.code.add(`{ w.reserve(${total}); const b = w.bytes, v = w.view, o = w.length;`);
    let at = 0;
    for (const { type, x } of parts) at = this.#flat(type, x, at);
    this.code.add(`w.length = o + ${total}; }`);
  }

  /** Stores a flat value at `o + at`; gives the place after it. */
  #flat(type: AlgebraicType, x: string, at: number): number {
    if (type.kind === 'ref') return this.#flat(this.#measurer.target(type.ref), x, at);
    if (type.kind === 'product') return this.#flatProduct(type, x, at);
    if (type.kind === 'sum') return this.#plainEnum(type, x, at);
    const kind = type.kind as Exclude<PrimitiveKind, 'string'>;
    this.code.add(`if (${CHECKS[kind](x)}) failMismatch();\n${STORES[kind](`o + ${at}`, x)};`);
    return at + this.#measurer.measure(type).fixedBytes!;
  }

  #flatProduct(type: ProductType, x: string, at: number): number {
    const special = specialProduct(type);
    if (special === undefined) {
      this.#checkObject(type, x);
      return this.#fields(type.elements, x).reduce((end, part) => this.#flat(part.type, part.x, end), at);
    }
    const { byteCount, field, isKeyed } = SPECIALS[special];
    this.code.add(
      isKeyed
        ? `keyToBytes(${special}Key(${x}), b, o + ${at});`
        : `v.setBigInt64(o + ${at}, microsOf(${x}, ${quote(field)}), true);`,
    );
    return at + byteCount;
  }

  #plainEnum(type: SumType, x: string, at: number): number {
    const cases = type.variants.map(
      ({ tag }, index) => `case ${quote(tag)}: b[o + ${at}] = ${index}; break;`,
    );
    this.code.add(`switch (${x}.tag) { ${cases.join(' ')} default: failMismatch(); }`);
    return at + 1;
  }

  #checkObject(type: ProductType, x: string): void {
    const isOptional = isUnitType(type) ? ` && ${x} !== undefined` : '';
    this.code.add(`if (typeof ${x} !== 'object'${isOptional}) failMismatch();`);
  }

  /** Reads each field once, in order. */
  #fields(elements: readonly ProductElement[], x: string): { type: AlgebraicType; x: string }[] {
    return elements.map(({ property, type }) => {
      const local = this.code.fresh('x');
      this.code.add(`const ${local} = ${x}[${quote(property)}];`);
      return { type, x: local };
    });
  }

  #product(type: ProductType, x: string, nest: number): void {
    this.#checkObject(type, x);
    let run: { type: AlgebraicType; x: string }[] = [];
    const flush = (): void => {
      if (run.length > 0) this.#run(run);
      run = [];
    };
    for (const part of this.#fields(type.elements, x)) {
      if (this.#measurer.measure(part.type).isFlat && !this.#isCall(part.type)) {
        run.push(part);
      } else {
        flush();
        this.emit(part.type, part.x, nest + 1);
      }
    }
    flush();
  }

  #array(type: ArrayType, x: string, nest: number): void {
    if (type.element.kind === 'u8') return this.code.add(`writeByteArray(w, ${x});`);
    const { minBytes, fixedBytes, isFlat } = this.#measurer.measure(type.element);
    const [item, i] = [this.code.fresh('x'), this.code.fresh('i')];
    this.code.add(`if (!Array.isArray(${x})) failMismatch();`);
    if (minBytes === 0) this.code.add(`checkEmptyCount(${x}.length);`);
    this.code.add(`w.writeU32(${x}.length);`);
    const loop = `for (let ${i} = 0; ${i} < ${x}.length; ${i}++)`;
    if (isFlat && !this.#isCall(type.element)) {
      this.code.add(
        `{ w.reserve(${x}.length * ${fixedBytes}); const b = w.bytes, v = w.view; let o = w.length;`,
      );
      this.code.add(`${loop} { const ${item} = ${x}[${i}];`);
      this.#flat(type.element, item, 0);
      this.code.add(`o += ${fixedBytes}; }\nw.length = o; }`);
    } else {
      this.code.add(`${loop} { const ${item} = ${x}[${i}];`);
      this.emit(type.element, item, nest + 1);
      this.code.add('}');
    }
  }

  #sum(type: SumType, x: string, nest: number): void {
    const some = optionInner(type);
    if (some !== undefined) return this.#option(some, x, nest);
    const isResult = resultInner(type) !== undefined;
    this.code.add(`if (typeof ${x} !== 'object') failMismatch();`);
    this.code.add(`switch (${isResult ? `resultTag(${x})` : `${x}.tag`}) {`);
    type.variants.forEach((variant, index) => {
      this.code.add(`case ${quote(isResult ? variant.name! : variant.tag)}: { w.writeU8(${index});`);
      if (isResult || !isUnitType(variant.type)) {
        const payload = this.code.fresh('x');
        this.code.add(`const ${payload} = ${x}.${isResult ? variant.name : 'value'};`);
        this.emit(variant.type, payload, nest + 1);
      }
      this.code.add('break; }');
    });
    this.code.add('default: failMismatch(); }');
  }

  #option(some: AlgebraicType, x: string, nest: number): void {
    this.code.add(`if (${x} === undefined || ${x} === null) w.writeU8(1); else { w.writeU8(0);`);
    this.emit(some, x, nest + 1);
    this.code.add('}');
  }
}
