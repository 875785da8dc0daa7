import * as MessageType from '../../messages/message-type.js';
import type { Authenticate } from '../../messages/message.js';
import type * as Errors from '../errors.js';
import type { Dict } from '../payload.js';
import type { Transport } from '../transport/transport.js';
import type { AuthContext, AuthExchange, AuthMethod, Challenge } from './auth-method.js';

/* What the methods of a keyring do in one attempt to join. Loaded when there are any; it imports nothing that a page has already. */

type AuthErrorClass = typeof Errors.AuthError;

/** The specification knows two factors; a router that asks on and on is not one. */
const CHALLENGES_MAX = 4;

/** One attempt to join. */
export interface KeyringExchange {
  readonly helloDetails: Dict;
  /** The proof that a challenge asks for. Rejects with AuthError when there is none. */
  authenticate(challenge: Challenge): Promise<Authenticate>;
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
    if (byName.has(name)) throw new AuthError(`"${name}" is given twice`);
    if (requiresAuthId && authId === undefined) throw new AuthError(`"${name}" needs an authid`);
    byName.set(name, method);
  }
  return byName;
}

export async function beginProofs(
  methods: Iterable<AuthMethod>,
  authId: string | undefined,
  AuthError: AuthErrorClass,
  transport?: Pick<Transport, 'channelBinding'>,
): Promise<KeyringExchange> {
  const byName = methodsByName(methods, authId, AuthError);
  const exchanges = new Map<string, AuthExchange>();
  const context: AuthContext = {
    authId,
    channelBinding: (type) => {
      const name = transport?.channelBinding?.(type);
      if (name === undefined) throw new AuthError(`the connection has no channel binding "${type}"`);
      return name;
    },
  };
  for (const [name, method] of byName) exchanges.set(name, await method.begin(context));
  const authExtra = mergeExtras(exchanges.values(), AuthError);
  let challenges = 0;
  let answered: AuthExchange | undefined;
  return {
    helloDetails: {
      authmethods: [...byName.keys()],
      ...(authId !== undefined && { authid: authId }),
      ...(authExtra !== undefined && { authextra: authExtra }),
    },
    async authenticate({ method, extra }) {
      try {
        challenges += 1;
        const exchange = exchanges.get(method);
        if (exchange === undefined) throw new AuthError(`no key for "${method}"`);
        if (challenges > CHALLENGES_MAX) throw new AuthError('too many challenges');
        const proof = await exchange.authenticate({ method, extra });
        answered = exchange;
        return { type: MessageType.authenticate, signature: proof.signature, extra: proof.extra ?? {} };
      } catch (error) {
        throw error instanceof AuthError ? error : new AuthError(`no proof: ${String(error)}`, error);
      }
    },
    checkWelcome: (details) => answered?.checkWelcome?.(details),
  };
}

function mergeExtras(exchanges: Iterable<AuthExchange>, AuthError: AuthErrorClass): Dict | undefined {
  let merged: Record<string, unknown> | undefined;
  for (const { authExtra = {} } of exchanges) {
    for (const [key, value] of Object.entries(authExtra)) {
      merged ??= {};
      if (key in merged && JSON.stringify(merged[key]) !== JSON.stringify(value)) {
        throw new AuthError(`methods want different values of "${key}"`);
      }
      merged[key] = value;
    }
  }
  return merged;
}
