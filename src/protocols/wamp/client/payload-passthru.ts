import type { Serializer } from '../messages/serializer.js';
import { Uris } from '../messages/uri.js';
import { WampError } from './errors.js';
import { NO_ARGS, NO_KWARGS, definedOptions, isDict, textIn } from './payload.js';
import type { Arguments, Dict } from './payload.js';

/*
 * Payload passthru mode: the arguments are one binary value, which holds `{ args, kwargs }` in a form that sender and receiver agree
 * on, and the router does not look into. Options of the message say which form.
 */

export interface PassThruInit {
  /** `mqtt`, `wamp`, or `x_` and a name of your own. */
  readonly scheme: string;
  readonly serializer: Serializer;
  readonly cipher?: string;
  readonly keyId?: string;
  /** What the cipher does to the serialized payload. */
  readonly encrypt?: (bytes: Uint8Array) => Uint8Array;
  /** `keyId` as it stands in the message. */
  readonly decrypt?: (bytes: Uint8Array, keyId: string | undefined) => Uint8Array;
}

/**
 * A form of payloads. Give it with what you send, and to the client, which reads by it what others send.
 *
 *     const form = new PassThru({ scheme: 'x_mine', serializer: msgpackSerializer });
 *     const client = await connect(url, { realm, passThru: [form] });
 *     await client.publish('com.app.news', ['secret'], { passThru: form });
 */
export class PassThru {
  readonly scheme: string;
  readonly #init: PassThruInit;

  constructor(init: PassThruInit) {
    this.scheme = init.scheme;
    this.#init = init;
  }

  /** What says so in the options of the message. */
  options(): Dict {
    const { scheme, serializer, cipher, keyId } = this.#init;
    return definedOptions({
      ppt_scheme: scheme,
      ppt_serializer: serializer.name,
      ppt_cipher: cipher,
      ppt_keyid: keyId,
    });
  }

  encode(payload: Arguments): Uint8Array {
    const bytes = encodeValue(this.#init.serializer, { args: payload.args, kwargs: payload.kwargs });
    return this.#init.encrypt?.(bytes) ?? bytes;
  }

  decode(bytes: Uint8Array, details: Dict): Arguments {
    const plain = this.#init.decrypt?.(bytes, textIn(details, 'ppt_keyid')) ?? bytes;
    const value = decodeValue(this.#init.serializer, plain);
    if (!isDict(value)) throw new WampError(Uris.invalidArgument, ['the payload is not { args, kwargs }']);
    return {
      args: Array.isArray(value['args']) ? value['args'] : NO_ARGS,
      kwargs: isDict(value['kwargs']) ? value['kwargs'] : NO_KWARGS,
    };
  }
}

/** The forms that a client can read. */
export class PassThruForms {
  readonly #forms: ReadonlyMap<string, PassThru>;

  constructor(forms: readonly PassThru[] = []) {
    this.#forms = new Map(forms.map((form) => [form.scheme, form]));
  }

  /** What the sender meant. Throws WampError if the form is not known here. */
  read(payload: Arguments, details: Dict): Arguments {
    const scheme = textIn(details, 'ppt_scheme');
    if (scheme === undefined) return payload;
    const form = this.#forms.get(scheme);
    const [bytes] = payload.args;
    if (form === undefined) {
      throw new WampError(Uris.featureNotSupported, [
        `payloads of the scheme "${scheme}" cannot be read here`,
      ]);
    }
    if (!(bytes instanceof Uint8Array)) {
      throw new WampError(Uris.invalidArgument, ['a payload that is passed through is one binary value']);
    }
    return form.decode(bytes, details);
  }
}

/* A serializer encodes lists of arguments: one value is a list of one without its first octet (JSON: without its brackets). */

function encodeValue(serializer: Serializer, value: unknown): Uint8Array {
  const { data } = serializer.encodeTail([value], undefined);
  return typeof data === 'string' ? new TextEncoder().encode(data.slice(1, -1)) : data.subarray(1);
}

function decodeValue(serializer: Serializer, bytes: Uint8Array): unknown {
  if (!serializer.isBinary) {
    return serializer.decodeTail({ count: 1, data: `[${new TextDecoder().decode(bytes)}]` }).args?.[0];
  }
  const listOfOne = (serializer.encodeTail([0], undefined).data as Uint8Array)[0]!;
  return serializer.decodeTail({ count: 1, data: Uint8Array.of(listOfOne, ...bytes) }).args?.[0];
}
