/* Where the parts of one generated codec meet: which references are called, which constants are used. */

export class SharedCode {
  readonly #seen = new Set<number>();
  readonly #waiting: number[] = [];
  readonly #constants: string[] = [];

  /** The suffix of the functions of `ref`, which are written later, once. */
  callRef(ref: number): number {
    if (!this.#seen.has(ref)) this.#waiting.push(ref);
    this.#seen.add(ref);
    return ref;
  }

  /** A reference that is called and not written yet. */
  takeRef(): number | undefined {
    return this.#waiting.pop();
  }

  /** The name of a constant that is made once for the codec. */
  addConstant(values: readonly string[]): string {
    return `K${this.#constants.push(JSON.stringify(values)) - 1}`;
  }

  get constants(): string {
    return this.#constants.map((text, i) => `const K${i} = ${text};`).join('\n');
  }
}

/** Lines of code with names of their own. */
export class CodeLines {
  #text = '';
  #next = 0;

  fresh(prefix: string): string {
    return `${prefix}${this.#next++}`;
  }

  add(line: string): void {
    this.#text += `${line}\n`;
  }

  toString(): string {
    return this.#text;
  }
}

/** A name from a schema as a literal: text only, whatever it contains. */
export function quote(name: string): string {
  return JSON.stringify(name);
}
