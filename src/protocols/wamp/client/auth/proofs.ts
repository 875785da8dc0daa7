import type * as Errors from '../errors.js';
import type { Dict } from '../payload.js';
import type { Transport } from '../transport/transport.js';
import type { AuthContext, AuthExchange, AuthMethod, Challenge, Proof } from './auth-method.js';

/* What the methods of a keyring do in one attempt to join. Loaded when there are any; it imports nothing that a page has already. */

type AuthErrorClass = typeof Errors.AuthError;

/** The specification knows two factors; a router that asks on and on is not one. */
const CHALLENGES_MAX = 4;

/** One attempt to join. */
export interface KeyringExchange {
  readonly helloDetails: Dict;
  /** The proof that a challenge asks for. Rejects when there is none. */
  authenticate(challenge: Challenge): Promise<Proof>;
  /** Throws when the router's proof of itself is missing or wrong. */
  checkWelcome(details: Dict): void;
}

/** @throws AuthError if a method is there twice, or one of them needs an authid and there is none. */
export function methodsByName(
  methods: Iterable<AuthMethod>,
  authId: string | undefined,
  AuthError: AuthErrorClass,
): ReadonlyMap<string, AuthMethod> {
  const byName = new Map<string, AuthMethod>();
  for (const method of methods) {
    const { name, requiresAuthId } = method;
    if (byName.has(name)) throw new AuthError(`the method "${name}" is given twice`);
    if (requiresAuthId && authId === undefined) throw new AuthError(`the method "${name}" needs an authid`);
    byName.set(name, method);
  }
  return byName;
}

export async function beginProofs(
  methods: ReadonlyMap<string, AuthMethod>,
  authId: string | undefined,
  AuthError: AuthErrorClass,
  transport?: Pick<Transport, 'channelBinding'>,
): Promise<KeyringExchange> {
  const exchanges = new Map<string, AuthExchange>();
  const context: AuthContext = {
    authId,
    channelBinding: (type) => {
      const name = transport?.channelBinding?.(type);
      if (name === undefined) throw new AuthError(`the connection has no channel binding "${type}"`);
      return name;
    },
  };
  for (const [name, method] of methods) exchanges.set(name, await method.begin(context));
  const authExtra = mergeExtras(exchanges.values(), AuthError);
  let challenges = 0;
  let answered: AuthExchange | undefined;
  return {
    helloDetails: {
      authmethods: [...methods.keys()],
      ...(authId === undefined ? {} : { authid: authId }),
      ...(Object.keys(authExtra).length === 0 ? {} : { authextra: authExtra }),
    },
    async authenticate(challenge) {
      challenges += 1;
      const exchange = exchanges.get(challenge.method);
      if (exchange === undefined) throw new AuthError(`there is no key for the method "${challenge.method}"`);
      if (challenges > CHALLENGES_MAX) throw new AuthError('the router asks for one proof after the other');
      const proof = await exchange.authenticate(challenge);
      answered = exchange;
      return proof;
    },
    checkWelcome: (details) => answered?.checkWelcome?.(details),
  };
}

function mergeExtras(exchanges: Iterable<AuthExchange>, AuthError: AuthErrorClass): Dict {
  const merged: Record<string, unknown> = {};
  for (const { authExtra = {} } of exchanges) {
    for (const [key, value] of Object.entries(authExtra)) {
      if (key in merged && JSON.stringify(merged[key]) !== JSON.stringify(value)) {
        throw new AuthError(`two methods want different values of "${key}" in authextra`);
      }
      merged[key] = value;
    }
  }
  return merged;
}
