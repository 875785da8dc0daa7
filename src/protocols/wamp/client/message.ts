import type * as wire from '../messages/message.js';
import type { Arguments } from './payload.js';

/* Messages as a client has them: with values for payloads, where the router has octets that it passes on. */

export { isRouterMessage, messageName } from '../messages/message.js';
export type { Dict, Challenge, Goodbye, Interrupt, Welcome } from '../messages/message.js';

export type Message = wire.Message<Arguments>;
export type ClientMessage = wire.ClientMessage<Arguments>;
export type RouterMessage = wire.RouterMessage<Arguments>;
export type ErrorMessage = wire.ErrorMessage<Arguments>;
export type Yield = wire.Yield<Arguments>;
export type Event = wire.Event<Arguments>;
export type Invocation = wire.Invocation<Arguments>;
export type Result = wire.Result<Arguments>;
