import { assertNever } from '../../base/assert.js';
import { arrayType, isUnitType } from '../../values/algebraic-type.js';
import type {
  AlgebraicType,
  ProductElement,
  ProductType,
  SumType,
  SumVariant,
} from '../../values/algebraic-type.js';
import {
  isScheduleAt,
  optionInner,
  optionType,
  resultInner,
  resultType,
  specialProduct,
} from '../../values/special-types.js';
import type { NamedType } from '../module-def.js';
import { resolveNode } from '../types/type-node.js';
import type { FieldNode, ProductNode, SumNode, TypeNode } from '../types/type-node.js';
import { DefinitionError } from './definition-error.js';
import { canonicalName, canonicalTypeName, canonicalVariantName, checkName, NameSet } from './names.js';
import type { NamePolicy } from './names.js';

/**
 * Collects the named types of a module and turns what authors wrote into algebraic types. Objects, rows and enums with
 * a name go into the typespace once and are referred to from wherever they are used.
 */
export class TypespaceBuilder {
  readonly types: AlgebraicType[] = [];
  readonly namedTypes: NamedType[] = [];
  readonly #policy: NamePolicy;
  readonly #refs = new Map<TypeNode, number>();
  readonly #byName = new Map<string, { readonly node: TypeNode; readonly written: string }>();

  constructor(policy: NamePolicy) {
    this.#policy = policy;
  }

  /** The type of a column, parameter or field. @param where for messages: "column `x` of table `y`". */
  convert(node: TypeNode, where: string): AlgebraicType {
    const known = resolveNode(node);
    switch (known.kind) {
      case 'fixed':
        return known.type;
      case 'array':
        return arrayType(this.convert(known.element, where));
      case 'option':
        return optionType(this.convert(known.some, where));
      case 'result':
        return resultType(this.convert(known.ok, where), this.convert(known.err, where));
      case 'product': {
        const ref = this.#refs.get(known);
        if (ref !== undefined) return { kind: 'ref', ref };
        if (known.typeName === undefined) return this.#product(known, where);
        return { kind: 'ref', ref: this.addNamed(known, known.typeName) };
      }
      case 'sum':
        return { kind: 'ref', ref: this.addNamed(known, known.typeName) };
      default:
        return assertNever(known, 'kind of type');
    }
  }

  /** Gives a product or enum its place in the typespace, under `name`. */
  addNamed(node: ProductNode | SumNode, name: string): number {
    const known = this.#refs.get(node);
    if (known !== undefined) return known;
    const path = name.split('.').map((part) => checkName(part, `type \`${name}\``));
    const scope = path.slice(0, -1);
    const typeName = canonicalTypeName(this.#policy, path.at(-1)!);
    const twin = this.#twin(node, [...scope, typeName].join('.'), name);
    if (twin !== undefined) {
      this.#refs.set(node, twin);
      return twin;
    }
    const ref = this.types.length;
    this.#refs.set(node, ref);
    // Holds the place while the type's own parts, which may refer back to it, are converted.
    this.types.push({ kind: 'product', elements: [] });
    this.namedTypes.push({ name: typeName, scope, ref });
    this.types[ref] = node.kind === 'product' ? this.#product(node, `type \`${name}\``) : this.#sum(node);
    return ref;
  }

  /** A row or the parameters of a function, in place. */
  product(fields: readonly FieldNode[], where: string): ProductType {
    const names = new NameSet(`fields of ${where}`);
    const elements: ProductElement[] = fields.map(({ property, name, node }) => {
      const what = `\`${property}\` of ${where}`;
      const canonical = canonicalName(this.#policy, property, name, what);
      names.add(canonical, property);
      return { name: canonical, property, type: this.convert(node, what) };
    });
    return { kind: 'product', elements };
  }

  /** Refuses types that no finite value can have. Call once, when everything was added. */
  checkFinite(): void {
    for (const { name, ref } of this.namedTypes) {
      if (!this.#containsItself(ref, ref, new Set())) continue;
      throw new DefinitionError(
        'BAD_TYPE',
        `type \`${name}\` contains itself, so no value of it could end; put an array, an option or an enum between`,
      );
    }
  }

  #containsItself(start: number, at: number, seen: Set<number>): boolean {
    const type = this.types[at];
    if (type?.kind !== 'product' || seen.has(at)) return false;
    seen.add(at);
    return productRefs(type).some((ref) => ref === start || this.#containsItself(start, ref, seen));
  }

  #product(node: ProductNode, where: string): ProductType {
    const type = this.product(node.fields, where);
    if (specialProduct(type) !== undefined) {
      throw new DefinitionError(
        'BAD_TYPE',
        `${where}: a single field \`${node.fields[0]?.property}\` is how the protocol marks its own types; use t.identity(), t.timestamp() and the like`,
      );
    }
    return type;
  }

  #sum(node: SumNode): SumType {
    // 255: the tag is one byte on the wire.
    if (node.variants.length > 255) {
      throw new DefinitionError('BAD_TYPE', `enum \`${node.typeName}\` has more than 255 variants`);
    }
    const names = new NameSet(`variants of enum \`${node.typeName}\``);
    const variants: SumVariant[] = node.variants.map(({ tag, node: payload }) => {
      const what = `variant \`${tag}\` of enum \`${node.typeName}\``;
      const name = canonicalVariantName(this.#policy, checkName(tag, what));
      names.add(name, tag);
      return { name, tag, type: this.convert(payload, what) };
    });
    const converted: SumType = { kind: 'sum', variants };
    if (!isSpecialSum(converted)) return converted;
    // `{ Ok, Err }` would become a result by conversion, whose values look different: such names stay as written.
    const asWritten: SumType = { kind: 'sum', variants: variants.map((v) => ({ ...v, name: v.tag })) };
    if (!isSpecialSum(asWritten)) return asWritten;
    throw new DefinitionError(
      'BAD_TYPE',
      `enum \`${node.typeName}\` has the variants by which the protocol knows its own types; use t.option(), t.result() or t.scheduleAt()`,
    );
  }

  /** The same name twice is fine when it says the same twice. */
  #twin(node: ProductNode | SumNode, fullName: string, written: string): number | undefined {
    const other = this.#byName.get(fullName);
    if (other === undefined) {
      this.#byName.set(fullName, { node, written });
      return undefined;
    }
    if (describeNode(other.node) === describeNode(node)) return this.#refs.get(other.node);
    throw new DefinitionError(
      'DUPLICATE_NAME',
      `two different types are called \`${fullName}\` (written \`${other.written}\` and \`${written}\`); rename one`,
    );
  }
}

function isSpecialSum(type: SumType): boolean {
  return optionInner(type) !== undefined || resultInner(type) !== undefined || isScheduleAt(type);
}

/** References of a product that every value of it follows. */
function productRefs(type: ProductType): number[] {
  return type.elements.flatMap((element): number[] => {
    if (element.type.kind === 'ref') return [element.type.ref];
    return element.type.kind === 'product' && !isUnitType(element.type) ? productRefs(element.type) : [];
  });
}

/** A text that is the same for types that mean the same. */
function describeNode(node: TypeNode, open: readonly TypeNode[] = []): string {
  const known = resolveNode(node);
  const depth = open.indexOf(known);
  if (depth >= 0) return `^${open.length - depth}`;
  const inside = [...open, known];
  switch (known.kind) {
    case 'fixed':
      return JSON.stringify(known.type);
    case 'array':
      return `[${describeNode(known.element, inside)}]`;
    case 'option':
      return `?${describeNode(known.some, inside)}`;
    case 'result':
      return `!${describeNode(known.ok, inside)}/${describeNode(known.err, inside)}`;
    case 'product':
      return `{${known.fields.map((f) => `${f.property}=${f.name ?? ''}:${describeNode(f.node, inside)}`).join()}}`;
    case 'sum':
      return `<${known.variants.map((v) => `${v.tag}:${describeNode(v.node, inside)}`).join()}>`;
    default:
      return assertNever(known, 'kind of type');
  }
}
