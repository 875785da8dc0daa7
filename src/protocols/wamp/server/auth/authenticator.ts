import type { Dict } from '../../messages/message.js';
import type { TransportInfo } from '../output.js';

/** Who somebody turned out to be. */
export interface Principal {
  readonly authid: string;
  readonly authrole: string;
  /** Default: the method's own. */
  readonly authprovider?: string;
  /** Details of the welcome: WELCOME.Details.authextra. */
  readonly authextra?: Dict;
  /** For the embedding application alone: it never leaves the process. If it has an `identity`, modules see that as their `sender`. */
  readonly context?: unknown;
}

/** What somebody says who wants in. */
export interface AuthRequest {
  readonly realm: string;
  /** HELLO.Details.authid, if any. */
  readonly authid: string | undefined;
  /** HELLO.Details.authextra; empty if none. */
  readonly authextra: Dict;
  /** The id that the session will have. */
  readonly session: number;
  readonly transport: TransportInfo;
}

export type AuthStep =
  | { readonly kind: 'welcome'; readonly principal: Principal }
  | {
      readonly kind: 'challenge';
      readonly extra: Dict;
      /** What AUTHENTICATE leads to: another challenge is allowed. */
      answer(signature: string, extra: Dict): AuthStep | Promise<AuthStep>;
    }
  /** The text is for our own log; the peer learns nothing but that it failed. */
  | { readonly kind: 'denied'; readonly text: string };

/** One method of authentication. What it throws is a denial. */
export interface Authenticator {
  /** As in HELLO.Details.authmethods. */
  readonly name: string;
  begin(request: AuthRequest): AuthStep | Promise<AuthStep>;
}

export function denied(text: string): AuthStep {
  return { kind: 'denied', text };
}
