import type { AlgebraicType } from '../../values/algebraic-type.js';

/*
 * A type as its author wrote it: names not yet converted, recursion not yet tied. The module definition turns nodes
 * into algebraic types; see definition/typespace-builder.ts.
 */

export interface FieldNode {
  /** The property of the JavaScript object. */
  readonly property: string;
  /** The wire name, when the author gave one with `.name()`. */
  readonly name: string | undefined;
  readonly node: TypeNode;
}

export interface ProductNode {
  readonly kind: 'product';
  readonly typeName: string | undefined;
  readonly fields: readonly FieldNode[];
}

export interface VariantNode {
  readonly tag: string;
  readonly node: TypeNode;
}

export interface SumNode {
  readonly kind: 'sum';
  readonly typeName: string;
  readonly variants: readonly VariantNode[];
}

export type TypeNode =
  /** Primitives and special types: nothing in them carries a name of the author's. */
  | { readonly kind: 'fixed'; readonly type: AlgebraicType }
  | { readonly kind: 'array'; readonly element: TypeNode }
  | { readonly kind: 'option'; readonly some: TypeNode }
  | { readonly kind: 'result'; readonly ok: TypeNode; readonly err: TypeNode }
  | { readonly kind: 'lazy'; readonly resolve: () => TypeNode }
  | ProductNode
  | SumNode;

/** What a chain of lazy nodes stands for. */
export function resolveNode(node: TypeNode): Exclude<TypeNode, { readonly kind: 'lazy' }> {
  let current = node;
  // A chain of more than this many lazy types is a cycle of them.
  for (let hops = 0; hops < 100; hops++) {
    if (current.kind !== 'lazy') return current;
    current = current.resolve();
  }
  throw new TypeError('t.lazy() leads only to itself: somewhere in the cycle there must be a real type');
}
