import type { AlgebraicType, Typespace } from '../values/algebraic-type.js';
import { optionInner, resultInner, specialProduct } from '../values/special-types.js';

/*
 * Authors may change the rows they are given (`user.online = true; ctx.db.user.id.update(user)`), and go on using the
 * arrays they inserted. Stored rows never change, so rows are copied on their way in and out. Flat rows have `Table.copyRow`.
 */

type Copy = (value: unknown) => unknown;

/** Copies what can be changed inside a value of the type; undefined when nothing can. */
export function compileCopy(type: AlgebraicType, typespace: Typespace): Copy | undefined {
  return new CopyCompiler(typespace).compile(type);
}

class CopyCompiler {
  readonly #typespace: Typespace;
  readonly #named = new Map<number, Copy | undefined>();

  constructor(typespace: Typespace) {
    this.#typespace = typespace;
  }

  compile(type: AlgebraicType): Copy | undefined {
    switch (type.kind) {
      case 'ref':
        return this.#compileRef(type.ref);
      case 'array':
        return this.#compileArray(type.element);
      case 'product':
        if (specialProduct(type) !== undefined) return undefined;
        return this.#compileFields(type.elements);
      case 'sum':
        return this.#compileSum(type);
      default:
        return undefined;
    }
  }

  #compileRef(ref: number): Copy | undefined {
    if (this.#named.has(ref)) return this.#named.get(ref);
    // Recursive types find this while they are compiled; they always hold something that can be changed.
    let copy: Copy | undefined;
    this.#named.set(ref, (value) => (copy === undefined ? value : copy(value)));
    copy = this.compile(this.#typespace.types[ref]!);
    this.#named.set(ref, copy);
    return copy;
  }

  #compileArray(element: AlgebraicType): Copy {
    const copy = this.compile(element);
    return (value) => {
      if (value instanceof Uint8Array) return value.slice();
      if (!Array.isArray(value)) return value;
      return copy === undefined ? value.slice() : value.map(copy);
    };
  }

  #compileFields(elements: readonly { readonly property: string; readonly type: AlgebraicType }[]): Copy {
    const nested = elements.flatMap(({ property, type }) => {
      const copy = this.compile(type);
      return copy === undefined ? [] : [{ property, copy }];
    });
    return (value) => {
      if (typeof value !== 'object' || value === null) return value;
      const result: Record<string, unknown> = { ...value };
      for (const { property, copy } of nested) {
        if (property in result) result[property] = copy(result[property]);
      }
      return result;
    };
  }

  #compileSum(type: Extract<AlgebraicType, { kind: 'sum' }>): Copy | undefined {
    const some = optionInner(type);
    if (some !== undefined) {
      const copy = this.compile(some);
      return copy && ((value) => (value === undefined || value === null ? value : copy(value)));
    }
    const result = resultInner(type);
    if (result !== undefined) {
      return this.#compileFields([
        { property: 'ok', type: result.ok },
        { property: 'err', type: result.err },
      ]);
    }
    const copies = new Map(type.variants.map((variant) => [variant.tag, this.compile(variant.type)]));
    return (value) => {
      if (typeof value !== 'object' || value === null || !('tag' in value)) return value;
      const copy = typeof value.tag === 'string' ? copies.get(value.tag) : undefined;
      return copy !== undefined && 'value' in value ? { ...value, value: copy(value.value) } : { ...value };
    };
  }
}
