import type * as wire from '../messages/message.js';
import type * as Uris from '../messages/uris.js';
import type { Arguments } from './payload.js';

/* Messages as a client has them: with values for payloads, where the router has octets that it passes on. */

export { isRouterMessage } from '../messages/message.js';
export type { Dict, Challenge, Goodbye, Interrupt, Welcome } from '../messages/message.js';

/** A URI that the protocol names. Written where it is used: pages load those alone. */
export type ProtocolUri = (typeof Uris)[keyof typeof Uris];

export type Message = wire.Message<Arguments>;
export type ClientMessage = wire.ClientMessage<Arguments>;
export type RouterMessage = wire.RouterMessage<Arguments>;
export type ErrorMessage = wire.ErrorMessage<Arguments>;
export type Yield = wire.Yield<Arguments>;
export type Event = wire.Event<Arguments>;
export type Invocation = wire.Invocation<Arguments>;
export type Result = wire.Result<Arguments>;
