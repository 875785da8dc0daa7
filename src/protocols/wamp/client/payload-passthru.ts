import type { Serializer } from './serializer/serializer.js';
import * as Uris from '../messages/uris.js';
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
    const value = this.#init.serializer.encodeValue({ args: payload.args, kwargs: payload.kwargs });
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    return this.#init.encrypt?.(bytes) ?? bytes;
  }

  /** @throws WampError for what is not of this form. */
  decode(bytes: unknown, details: Dict): Arguments {
    if (!(bytes instanceof Uint8Array)) {
      throw new WampError(Uris.invalidArgument, ['a payload that is passed through is one binary value']);
    }
    const plain = this.#init.decrypt?.(bytes, textIn(details, 'ppt_keyid')) ?? bytes;
    const value = this.#init.serializer.decodeValue(plain);
    if (!isDict(value)) throw new WampError(Uris.invalidArgument, ['the payload is not { args, kwargs }']);
    return {
      args: Array.isArray(value['args']) ? value['args'] : NO_ARGS,
      kwargs: isDict(value['kwargs']) ? value['kwargs'] : NO_KWARGS,
    };
  }
}
