import type { AlgebraicType } from '../../../values/algebraic-type.js';
import type { ModuleDef } from '../../../module/module-def.js';
import { checkDistinct, CodegenError, typeName } from './names.js';
import { typeExpression, valueType } from './type-expression.js';
import type { TypeScope } from './type-expression.js';

/* The file `types.ts`: every named type of the module, those that others need first. */

export class NamedTypes implements TypeScope {
  readonly #names = new Map<number, string>();
  readonly #types: readonly AlgebraicType[];
  readonly mayOmitOptions: boolean;

  constructor({ namedTypes, schema }: ModuleDef, mayOmitOptions: boolean) {
    this.mayOmitOptions = mayOmitOptions;
    this.#types = schema.typespace.types;
    for (const { ref, name, scope } of namedTypes) {
      if (!this.#names.has(ref)) this.#names.set(ref, typeName([...scope, name]));
    }
    checkDistinct(
      [...this.#names.values()].map((name) => [name, name]),
      'types',
    );
  }

  /** The names that an expression refers to, for its imports. */
  namesIn(expression: string): readonly string[] {
    const used = new Set(expression.match(/[A-Za-z_$][A-Za-z0-9_$]*/g));
    return [...this.#names.values()].filter((name) => used.has(name)).sort();
  }

  /** The name of a type of the typespace, if it has one. */
  nameOf(ref: number): string | undefined {
    return this.#names.get(ref);
  }

  reference(ref: number): string {
    return this.#names.get(ref) ?? typeExpression(this.typeAt(ref), this, `Type${ref}`);
  }

  referenceType(ref: number): string {
    return this.#names.get(ref) ?? valueType(this.typeAt(ref), this);
  }

  /** `export const User = ...; export type User = ...;`, in an order in which each stands before its users. */
  declarations(): readonly string[] {
    return this.#ordered().map((ref) => this.#declaration(ref));
  }

  #declaration(ref: number): string {
    const name = this.#names.get(ref)!;
    const type = this.typeAt(ref);
    if (!this.#reaches(ref, ref)) {
      const expression = typeExpression(type, this, name);
      return `export const ${name} = ${expression};\nexport type ${name} = __Infer<typeof ${name}>;`;
    }
    // A type that contains itself: the compiler cannot infer it, so it is written out.
    const lazy: TypeScope = {
      reference: (other) =>
        this.#reaches(other, ref) ? `__t.lazy(() => ${this.reference(other)})` : this.reference(other),
      referenceType: (other) => this.referenceType(other),
      mayOmitOptions: this.mayOmitOptions,
    };
    return (
      `export type ${name} = ${valueType(type, this)};\n` +
      `export const ${name}: ${this.#builderType(name, type)} = ${typeExpression(type, lazy, name)};`
    );
  }

  /** The npm client's builders carry the shape as well, and take `any` for a unit. */
  #builderType(name: string, { kind }: AlgebraicType): string {
    if (this.mayOmitOptions) return `__TypeBuilder<${name}>`;
    const shape =
      kind === 'sum'
        ? '{ tag: "Sum"; value: { variants: any[] } }'
        : '{ tag: "Product"; value: { elements: any[] } }';
    return `__TypeBuilder<${name}, ${shape}>`;
  }

  #ordered(): readonly number[] {
    const ordered: number[] = [];
    const visited = new Set<number>();
    const visit = (ref: number): void => {
      if (visited.has(ref)) return;
      visited.add(ref);
      for (const next of refsOf(this.typeAt(ref))) visit(next);
      if (this.#names.has(ref)) ordered.push(ref);
    };
    for (const ref of [...this.#names.keys()].sort((a, b) => a - b)) visit(ref);
    return ordered;
  }

  /** Whether the type at `from` contains the one at `to`, itself or through others. */
  #reaches(from: number, to: number): boolean {
    const visited = new Set<number>();
    const visit = (ref: number): boolean =>
      refsOf(this.typeAt(ref)).some((next) => {
        if (next === to) return true;
        if (visited.has(next)) return false;
        visited.add(next);
        return visit(next);
      });
    return visit(from);
  }

  /** Throws CodegenError when there is none. */
  typeAt(ref: number): AlgebraicType {
    const type = this.#types[ref];
    if (type === undefined)
      throw new CodegenError(`the schema refers to type ${ref}, which it does not have`);
    return type;
  }
}

function refsOf(type: AlgebraicType): readonly number[] {
  switch (type.kind) {
    case 'ref':
      return [type.ref];
    case 'array':
      return refsOf(type.element);
    case 'product':
      return type.elements.flatMap((element) => refsOf(element.type));
    case 'sum':
      return type.variants.flatMap((variant) => refsOf(variant.type));
    default:
      return [];
  }
}
