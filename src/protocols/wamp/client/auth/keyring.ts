import { AuthError } from '../errors.js';
import type { Transport } from '../transport/transport.js';
import type { AuthMethod } from './auth-method.js';
import { beginProofs, methodsByName } from './proofs.js';
import type { KeyringExchange } from './proofs.js';

export type { KeyringExchange } from './proofs.js';

/** What proves who we are, each time that we join. */
export interface Keyring {
  /** What one attempt to join over `transport` needs. */
  begin(transport?: Pick<Transport, 'channelBinding'>): Promise<KeyringExchange>;
}

/** The methods that a client offers, best first, and the name that goes with them. */
export class AuthKeyring implements Keyring, Iterable<AuthMethod> {
  readonly authId: string | undefined;
  readonly #methods: ReadonlyMap<string, AuthMethod>;

  /** @throws AuthError if a method is there twice, or one of them needs an authid and there is none. */
  constructor(methods: Iterable<AuthMethod>, options: { readonly authId?: string } = {}) {
    this.authId = options.authId;
    this.#methods = methodsByName(methods, this.authId, AuthError);
  }

  get names(): readonly string[] {
    return [...this.#methods.keys()];
  }

  get(name: string): AuthMethod | undefined {
    return this.#methods.get(name);
  }

  [Symbol.iterator](): Iterator<AuthMethod> {
    return this.#methods.values();
  }

  async begin(transport?: Pick<Transport, 'channelBinding'>): Promise<KeyringExchange> {
    return await beginProofs(this, this.authId, AuthError, transport);
  }
}
