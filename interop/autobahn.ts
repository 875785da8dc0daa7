import { createRequire } from 'node:module';

/* The npm client `autobahn`, which has no types, as far as the tests need it. */

export interface AutobahnSession {
  readonly id: number;
  register(uri: string, handler: (...parameters: never[]) => unknown, options?: object): Promise<unknown>;
  call(uri: string, args?: unknown[], kwargs?: object, options?: object): AutobahnPromise;
  subscribe(uri: string, handler: (...parameters: never[]) => void, options?: object): Promise<unknown>;
  publish(uri: string, args?: unknown[], kwargs?: object, options?: object): Promise<{ readonly id: number }>;
}

/** Its promises tell of progress, too. */
export type AutobahnPromise = Promise<unknown> & {
  cancel(options?: { readonly mode: string }): void;
  then(
    onResult: (value: unknown) => unknown,
    onError: (error: unknown) => unknown,
    onProgress: (value: unknown) => void,
  ): unknown;
};

export interface Welcome {
  readonly authid: unknown;
  readonly authmethod: unknown;
}

interface AutobahnConnection {
  onopen: (session: AutobahnSession, details: Welcome) => void;
  /** True: do not try again. */
  onclose: (reason: string, details: { readonly reason?: string }) => boolean;
  open(): void;
  close(): void;
}

interface Autobahn {
  readonly Connection: new (options: object) => AutobahnConnection;
  readonly Error: new (uri: string, args?: unknown[], kwargs?: object) => Error;
  readonly Result: new (args: unknown[], kwargs: object) => object;
  readonly serializer: Readonly<
    Record<'JSONSerializer' | 'MsgpackSerializer' | 'CBORSerializer', new () => object>
  >;
  readonly auth_cra: {
    sign(key: string, challenge: string): string;
    derive_key(secret: string, salt: string, iterations: number, keylen: number): string;
  };
  readonly auth_cryptosign: { sign_challenge(key: object, extra: object): string };
  readonly nacl: { readonly sign: { readonly keyPair: { fromSeed(seed: Uint8Array): object } } };
}

export const autobahn = load();

export interface OpenAutobahn {
  readonly session: AutobahnSession;
  readonly details: Welcome;
  readonly close: () => void;
}

/** A connection that is tried once. */
export async function openAutobahn(options: object): Promise<OpenAutobahn> {
  // What handlers throw goes to the caller, which is where tests look.
  const quiet = { on_user_error: () => {} };
  const connection = new autobahn.Connection({ realm: 'realm1', max_retries: 0, ...quiet, ...options });
  return await new Promise((resolve, reject) => {
    connection.onopen = (session, details) => resolve({ session, details, close: () => connection.close() });
    connection.onclose = (reason, details) => {
      reject(new Error(details.reason ?? reason));
      return true;
    };
    connection.open();
  });
}

/** It takes hold of `console.warn` when it is loaded, and tells it of every connection that ends. */
function load(): Autobahn {
  const { warn } = console;
  console.warn = () => {};
  try {
    return createRequire(import.meta.url)('autobahn') as Autobahn;
  } finally {
    console.warn = warn;
  }
}
