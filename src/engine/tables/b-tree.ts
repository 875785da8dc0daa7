import imported from 'sorted-btree';

type BTreeClass = typeof imported.default;

// The package is CommonJS: Node gives its exports object as default, bundlers and test runners the class itself.
const exported: unknown = imported;
export const BTree = (typeof exported === 'function' ? exported : imported.default) as BTreeClass;
export type BTree<K, V> = InstanceType<typeof imported.default<K, V>>;
