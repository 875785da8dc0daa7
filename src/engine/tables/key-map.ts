/** What may be the key of a Map: never a bigint, of which V8 hashes only the low 64 bits. */
export type MapKey = number | string | boolean;

/** The part of Map that unique indexes use. */
export interface KeyMap<V> {
  readonly size: number;
  get(key: MapKey): V | undefined;
  set(key: MapKey, value: V): unknown;
  delete(key: MapKey): boolean;
  values(): IterableIterator<V>;
  clear(): void;
}
