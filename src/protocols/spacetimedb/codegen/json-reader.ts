import type { JsonValue } from '../../../values/sats-json/parse-json.js';
import { CodegenError } from './names.js';

/* Reads the parts of a schema's JSON and says where something is not what it should be. */

export class JsonReader {
  readonly value: JsonValue;
  readonly path: string;

  constructor(value: JsonValue, path: string) {
    this.value = value;
    this.path = path;
  }

  field(name: string): JsonReader {
    const { value } = this;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject || !Object.hasOwn(value, name)) throw this.bad(`an object with \`${name}\``);
    return new JsonReader(value[name]!, `${this.path}.${name}`);
  }

  has(name: string): boolean {
    return typeof this.value === 'object' && this.value !== null && Object.hasOwn(this.value, name);
  }

  list(): readonly JsonReader[] {
    if (!Array.isArray(this.value)) throw this.bad('a list');
    return this.value.map((item, i) => new JsonReader(item, `${this.path}[${i}]`));
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.bad('a text');
    return this.value;
  }

  bool(): boolean {
    if (typeof this.value !== 'boolean') throw this.bad('true or false');
    return this.value;
  }

  /** A whole number that counts or points at something. */
  position(): number {
    if (typeof this.value !== 'number' || this.value >>> 0 !== this.value) throw this.bad('a position');
    return this.value;
  }

  integer(): bigint {
    if (typeof this.value === 'bigint') return this.value;
    if (!Number.isSafeInteger(this.value)) throw this.bad('an integer');
    return BigInt(this.value as number);
  }

  /** `{ "Variant": payload }` */
  variant(): readonly [tag: string, payload: JsonReader] {
    const { value } = this;
    const entries =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
    const [only, ...more] = entries;
    if (only === undefined || more.length > 0) throw this.bad('one variant');
    return [only[0], new JsonReader(only[1], `${this.path}.${only[0]}`)];
  }

  /** `{ "some": x }`, `{ "none": [] }` or null. */
  option<T>(read: (value: JsonReader) => T): T | undefined {
    if (this.value === null) return undefined;
    const [tag, payload] = this.variant();
    return tag === 'some' ? read(payload) : undefined;
  }

  bad(expected: string): CodegenError {
    return new CodegenError(`the schema is not one: ${this.path} should be ${expected}`);
  }
}
