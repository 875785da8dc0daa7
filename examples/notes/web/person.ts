/** Who somebody is for the others. */
export interface Person {
  readonly name: string;
  readonly color: string;
  readonly colorLight: string;
}

// Seen on light and on dark ground.
const COLORS = ['#d9480f', '#2b8a3e', '#1971c2', '#9c36b5', '#c2255c', '#0c8599', '#8f6a00', '#5f3dc4'];
const ANIMALS = ['Otter', 'Heron', 'Lynx', 'Marten', 'Wren', 'Badger', 'Ibex', 'Plover', 'Vole', 'Stoat'];

export function makePerson(name: string, color: string): Person {
  return { name, color, colorLight: `${color}33` };
}

/** The colour changes by a shade: the editor's binding draws a cursor anew, and so its name, only with another colour. */
export function rename({ color }: Person, name: string): Person {
  const last = (Number.parseInt(color.at(-1)!, 16) ^ 1).toString(16);
  return makePerson(name, color.slice(0, -1) + last);
}

/** Somebody who has not said his name. @param random below 1. */
export function makeStranger(random: number): Person {
  const name = ANIMALS[Math.floor(random * ANIMALS.length)]!;
  return makePerson(name, COLORS[Math.floor(random * 997) % COLORS.length]!);
}

export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => String.fromCodePoint(word.codePointAt(0)!).toUpperCase())
    .join('');
}

/** What somebody else has sent may be anything. */
export function readPerson(value: unknown): Person | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, color } = value as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof color !== 'string' || !/^#[0-9a-f]{6}$/.test(color))
    return undefined;
  return makePerson(name.slice(0, 40), color);
}
