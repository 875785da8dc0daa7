import type { Subprotocol } from '../../messages/frame.js';
import { joinedFrames, singleFrames } from '../framing.js';
import type { Wire, WireSession } from '../wire.js';
import { CurrentWire } from './current-wire.js';

export interface WireOptions {
  readonly protocol: Subprotocol;
}

/** The wire of a subprotocol. */
export function makeWire(session: WireSession, { protocol }: WireOptions): Wire {
  return new CurrentWire(session, protocol === 'v3.bsatn.spacetimedb' ? joinedFrames : singleFrames);
}
