import type { Dict } from './message.js';

/** The payload as it stands in a message: `count` elements, joined as the serializer joins elements. */
export interface Tail {
  readonly count: 0 | 1 | 2;
  readonly data: string | Uint8Array;
}

/** What a payload needs of a serializer. */
export interface PayloadCodec {
  encodeTail(args: readonly unknown[] | undefined, kwargs: Dict | undefined): Tail;
  decodeTail(tail: Tail): PayloadValues;
}

export interface PayloadValues {
  readonly args?: readonly unknown[] | undefined;
  readonly kwargs?: Dict | undefined;
}

const NO_ARGS: readonly unknown[] = Object.freeze([]);
const NO_KWARGS: Dict = Object.freeze({});

/**
 * Arguments of a message, as values or as octets or both. A router that sends them on as they came never decodes
 * them; each serializer encodes them once.
 */
export class Payload {
  static readonly empty = new Payload(undefined, undefined, {});

  #values: PayloadValues | undefined;
  #codec: PayloadCodec | undefined;
  #tail: Tail | (() => Tail) | undefined;
  #others: Map<PayloadCodec, Tail> | undefined;

  private constructor(
    codec: PayloadCodec | undefined,
    tail: Tail | (() => Tail) | undefined,
    values: PayloadValues | undefined,
  ) {
    this.#codec = codec;
    this.#tail = tail;
    this.#values = values;
  }

  /** `Payload.of([1, 2], { unit: 'm' })`. */
  static of(args?: readonly unknown[], kwargs?: Dict): Payload {
    const isEmpty = (args === undefined || args.length === 0) && kwargs === undefined;
    return isEmpty ? Payload.empty : new Payload(undefined, undefined, { args, kwargs });
  }

  /** What a serializer read: the octets, of which it knows that they are well formed, the values, or both. */
  static decoded(codec: PayloadCodec, tail: Tail | (() => Tail), values?: PayloadValues): Payload {
    return new Payload(codec, tail, values);
  }

  /** Positional arguments; empty if there are none. Throws MessageError if the octets cannot be decoded. */
  get args(): readonly unknown[] {
    return this.#decode().args ?? NO_ARGS;
  }

  /** Keyword arguments; empty if there are none. */
  get kwargs(): Dict {
    return this.#decode().kwargs ?? NO_KWARGS;
  }

  /** Whether the message had keyword arguments, were they empty. */
  get hasKwargs(): boolean {
    return this.#decode().kwargs !== undefined;
  }

  /** The payload in `codec`'s form. Throws MessageError if a value has none. */
  tailFor(codec: PayloadCodec): Tail {
    if (this.#codec === codec) {
      if (typeof this.#tail === 'function') this.#tail = this.#tail();
      return this.#tail!;
    }
    const known = this.#others?.get(codec);
    if (known !== undefined) return known;
    const { args, kwargs } = this.#decode();
    const tail = codec.encodeTail(args, kwargs);
    if (this.#codec === undefined && this !== Payload.empty) {
      this.#codec = codec;
      this.#tail = tail;
    } else {
      (this.#others ??= new Map()).set(codec, tail);
    }
    return tail;
  }

  /** Octets that keeping it costs, about. */
  get roughBytes(): number {
    if (typeof this.#tail === 'function') this.#tail = this.#tail();
    return this.#tail?.data.length ?? roughBytesOf([this.#values?.args, this.#values?.kwargs]);
  }

  /** The same in octets of its own: keeping it keeps neither values nor the rest of its message. */
  detached(): Payload {
    if (this.#codec === undefined) return this;
    const { count, data } = this.tailFor(this.#codec);
    // V8 has a part of a text point into the whole; this one is part of a text that is one character longer.
    const copy = typeof data === 'string' ? ` ${data}`.slice(1) : new Uint8Array(data);
    return new Payload(this.#codec, { count, data: copy }, undefined);
  }

  #decode(): PayloadValues {
    if (this.#values === undefined) {
      if (typeof this.#tail === 'function') this.#tail = this.#tail();
      this.#values = this.#codec!.decodeTail(this.#tail!);
    }
    return this.#values;
  }
}

/** Octets that keeping a value costs, about. */
export function roughBytesOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return 8 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 8;
  for (const [key, inner] of Object.entries(value)) bytes += 8 + key.length + roughBytesOf(inner);
  return bytes;
}
