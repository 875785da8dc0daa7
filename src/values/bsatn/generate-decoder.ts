import { isUnitType } from '../algebraic-type.js';
import type { AlgebraicType, ArrayType, PrimitiveKind, ProductType, SumType } from '../algebraic-type.js';
import { optionInner, resultInner, specialProduct } from '../special-types.js';
import type { SpecialProduct } from '../special-types.js';
import type { TypeMeasurer } from './measure.js';
import { CodeLines, quote } from './shared-code.js';
import type { SharedCode } from './shared-code.js';

/*
 * The body of `decode(r, depth)`. Names in the code: `r` the reader, `b` and `v` its bytes and view, `oN` the offset of
 * a run of fixed size. An object is made by one literal, so all rows of a type have one shape.
 */

const LOADS: Readonly<Record<Exclude<PrimitiveKind, 'string'>, (at: string) => string>> = {
  bool: (at) => `(b[${at}] > 1 ? failBool(b[${at}], ${at}) : b[${at}] === 1)`,
  i8: (at) => `v.getInt8(${at})`,
  u8: (at) => `b[${at}]`,
  i16: (at) => `v.getInt16(${at}, true)`,
  u16: (at) => `v.getUint16(${at}, true)`,
  i32: (at) => `v.getInt32(${at}, true)`,
  u32: (at) => `v.getUint32(${at}, true)`,
  i64: (at) => `v.getBigInt64(${at}, true)`,
  u64: (at) => `v.getBigUint64(${at}, true)`,
  i128: (at) => `readSigned(v, ${at}, 16)`,
  u128: (at) => `readUnsigned(v, ${at}, 16)`,
  i256: (at) => `readSigned(v, ${at}, 32)`,
  u256: (at) => `readUnsigned(v, ${at}, 32)`,
  f32: (at) => `v.getFloat32(${at}, true)`,
  f64: (at) => `v.getFloat64(${at}, true)`,
};

const SPECIAL_LOADS: Readonly<Record<SpecialProduct, (at: string) => string>> = {
  identity: (at) => `Identity.fromKey(bytesToKey(b, ${at}, ${at} + 32))`,
  connectionId: (at) => `ConnectionId.fromKey(bytesToKey(b, ${at}, ${at} + 16))`,
  uuid: (at) => `Uuid.fromKey(bytesToKey(b, ${at}, ${at} + 16))`,
  timestamp: (at) => `new Timestamp(v.getBigInt64(${at}, true))`,
  timeDuration: (at) => `new TimeDuration(v.getBigInt64(${at}, true))`,
};

export function emitDecoder(type: AlgebraicType, measurer: TypeMeasurer, shared: SharedCode): string {
  const emitter = new DecoderEmitter(measurer, shared);
  const result = emitter.emit(type, 0);
  emitter.code.add(`return ${result};`);
  return emitter.code.toString();
}

class DecoderEmitter {
  readonly code = new CodeLines();
  readonly #measurer: TypeMeasurer;
  readonly #shared: SharedCode;

  constructor(measurer: TypeMeasurer, shared: SharedCode) {
    this.#measurer = measurer;
    this.#shared = shared;
  }

  /** Emits what reads the value; gives the expression of it, to be used once. */
  emit(type: AlgebraicType, nest: number): string {
    if (this.#isFlat(type)) return this.#run([type])[0]!;
    switch (type.kind) {
      case 'ref':
        return this.#keep(`decode${this.#shared.callRef(type.ref)}(r, depth + ${nest})`);
      case 'array':
        return this.#array(type, nest);
      case 'product':
        return this.#product(type, nest);
      case 'sum':
        return this.#sum(type, nest);
      default:
        return this.#keep('r.readString()');
    }
  }

  #isFlat(type: AlgebraicType): boolean {
    const isCall = type.kind === 'ref' && !this.#measurer.isInlined(type.ref);
    return this.#measurer.measure(type).isFlat && !isCall;
  }

  #keep(expression: string): string {
    const local = this.code.fresh('t');
    this.code.add(`const ${local} = ${expression};`);
    return local;
  }

  /** Values of fixed size one after the other: one bounds check, then loads from known places. */
  #run(types: readonly AlgebraicType[]): string[] {
    const base = this.code.fresh('o');
    let at = 0;
    const expressions = types.map((type) => {
      const expression = this.#flat(type, base, at);
      at += this.#measurer.measure(type).fixedBytes!;
      return expression;
    });
    this.code.add(`const ${base} = r.offset; r.need(${at}); r.offset = ${base} + ${at};`);
    return expressions;
  }

  #flat(type: AlgebraicType, base: string, at: number): string {
    const place = `${base} + ${at}`;
    if (type.kind === 'ref') return this.#flat(this.#measurer.target(type.ref), base, at);
    if (type.kind === 'sum') {
      const tags = this.#shared.addConstant(type.variants.map((variant) => variant.tag));
      return `{ tag: ${tags}[b[${place}]] ?? failTag(b[${place}], ${place}) }`;
    }
    if (type.kind !== 'product') return LOADS[type.kind as Exclude<PrimitiveKind, 'string'>](place);
    const special = specialProduct(type);
    if (special !== undefined) return SPECIAL_LOADS[special](place);
    let offset = at;
    const fields = type.elements.map(({ property, type: inner }) => {
      const field = `${quote(property)}: ${this.#flat(inner, base, offset)}`;
      offset += this.#measurer.measure(inner).fixedBytes!;
      return field;
    });
    return `{ ${fields.join(', ')} }`;
  }

  #product(type: ProductType, nest: number): string {
    const expressions: string[] = [];
    let run: AlgebraicType[] = [];
    const flush = (): void => {
      if (run.length > 0) expressions.push(...this.#run(run));
      run = [];
    };
    for (const element of type.elements) {
      if (this.#isFlat(element.type)) {
        run.push(element.type);
      } else {
        flush();
        expressions.push(this.emit(element.type, nest + 1));
      }
    }
    flush();
    return `{ ${type.elements.map(({ property }, i) => `${quote(property)}: ${expressions[i]}`).join(', ')} }`;
  }

  #array(type: ArrayType, nest: number): string {
    if (type.element.kind === 'u8') return this.#keep('readByteArray(r)');
    const { minBytes, fixedBytes } = this.#measurer.measure(type.element);
    const count = this.#keep('r.readU32()');
    this.code.add(`checkCount(r, ${count}, ${minBytes});`);
    const items = this.#keep('[]');
    const i = this.code.fresh('i');
    const loop = `for (let ${i} = 0; ${i} < ${count}; ${i}++)`;
    if (this.#isFlat(type.element)) {
      const base = this.code.fresh('o');
      this.code.add(`let ${base} = r.offset; r.offset = ${base} + ${count} * ${fixedBytes};`);
      this.code.add(
        `${loop} { ${items}.push(${this.#flat(type.element, base, 0)}); ${base} += ${fixedBytes}; }`,
      );
    } else {
      this.code.add(`${loop} {`);
      this.code.add(`${items}.push(${this.emit(type.element, nest + 1)});\n}`);
    }
    return items;
  }

  #sum(type: SumType, nest: number): string {
    const some = optionInner(type);
    const isResult = resultInner(type) !== undefined;
    const result = this.code.fresh('t');
    this.code.add(`let ${result};\nswitch (r.readU8()) {`);
    type.variants.forEach((variant, index) => {
      this.code.add(`case ${index}: {`);
      if (some !== undefined && index === 1) return this.code.add('break; }');
      const isUnit = some === undefined && !isResult && isUnitType(variant.type);
      const payload = isUnit ? '' : this.emit(variant.type, nest + 1);
      if (some !== undefined) this.code.add(`${result} = ${payload}; break; }`);
      else if (isResult) this.code.add(`${result} = { ${variant.name}: ${payload} }; break; }`);
      else {
        const value = isUnit ? '' : `, value: ${payload}`;
        this.code.add(`${result} = { tag: ${quote(variant.tag)}${value} }; break; }`);
      }
    });
    this.code.add('default: failTag(b[r.offset - 1], r.offset - 1); }');
    return result;
  }
}
