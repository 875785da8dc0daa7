/**
 * Whether two decoded values are the same: primitives as `Object.is`, bytes and arrays by their elements, ids and
 * times by their fields, which makes classes with private state compare by `key` where they have one.
 */
export function equalValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || Array.isArray(a)) return equalLists(a as ArrayLike<unknown>, b);
  return equalObjects(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>);
}

function equalLists(a: ArrayLike<unknown>, b: object): boolean {
  if (!(ArrayBuffer.isView(b) || Array.isArray(b))) return false;
  const other = b as unknown as ArrayLike<unknown>;
  if (a.length !== other.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalValues(a[i], other[i])) return false;
  return true;
}

function equalObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => equalValues(a[key], b[key]));
}
