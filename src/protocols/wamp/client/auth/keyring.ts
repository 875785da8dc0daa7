import { AuthError } from '../errors.js';
import { NO_KWARGS, isDict } from '../payload.js';
import type { Dict } from '../payload.js';
import type { Transport } from '../transport/transport.js';
import type { AuthContext, AuthExchange, AuthMethod } from './auth-method.js';

/** The methods that a client offers, best first, and the name that goes with them. */
export class AuthKeyring implements Iterable<AuthMethod> {
  readonly authId: string | undefined;
  readonly #methods = new Map<string, AuthMethod>();

  /** @throws AuthError if a method is there twice, or one of them needs an authid and there is none. */
  constructor(methods: Iterable<AuthMethod>, options: { readonly authId?: string } = {}) {
    this.authId = options.authId;
    for (const method of methods) this.#add(method);
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

  /** What one attempt to join over `transport` needs. */
  async begin(transport?: Pick<Transport, 'channelBinding'>): Promise<KeyringExchange> {
    const exchanges = new Map<string, AuthExchange>();
    const context: AuthContext = {
      authId: this.authId,
      channelBinding: (type) => {
        const name = transport?.channelBinding?.(type);
        if (name === undefined) throw new AuthError(`the connection has no channel binding "${type}"`);
        return name;
      },
    };
    for (const [name, method] of this.#methods) exchanges.set(name, await method.begin(context));
    return { exchanges, helloDetails: this.#helloDetails(mergeExtras(exchanges.values())) };
  }

  #add(method: AuthMethod): void {
    if (this.#methods.has(method.name)) throw new AuthError(`the method "${method.name}" is given twice`);
    if (method.requiresAuthId && this.authId === undefined) {
      throw new AuthError(`the method "${method.name}" needs an authid`);
    }
    this.#methods.set(method.name, method);
  }

  #helloDetails(authExtra: Dict): Dict {
    return {
      authmethods: this.names,
      ...(this.authId === undefined ? {} : { authid: this.authId }),
      ...(Object.keys(authExtra).length === 0 ? {} : { authextra: authExtra }),
    };
  }
}

export interface KeyringExchange {
  readonly exchanges: ReadonlyMap<string, AuthExchange>;
  readonly helloDetails: Dict;
}

function mergeExtras(exchanges: Iterable<AuthExchange>): Dict {
  const merged: Record<string, unknown> = {};
  for (const { authExtra = NO_KWARGS } of exchanges) {
    for (const [key, value] of Object.entries(authExtra)) {
      if (key in merged && !sameValue(merged[key], value)) {
        throw new AuthError(`two methods want different values of "${key}" in authextra`);
      }
      merged[key] = value;
    }
  }
  return merged;
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (isDict(a) && isDict(b) && JSON.stringify(a) === JSON.stringify(b));
}
