import { expect } from 'vitest';

import { type Fields, toFields, toMessage } from '../../../../../test/conformance/wamp-peer.js';
import { ManualClock } from '../../../../base/clock.js';
import { seededRandom } from '../../../../base/random.js';
import type { Message } from '../../messages/message.js';
import type { RouterOptions } from '../options.js';
import type { Sending } from '../output.js';
import { WampRouter } from '../router.js';

const ROLES = {
  caller: { features: { progressive_call_results: true } },
  callee: { features: { call_canceling: true, progressive_call_results: true } },
};

/** A router with a clock by hand, and connections without transports. */
export function startRouter(options: RouterOptions = {}) {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const router = new WampRouter({
    realms: { realm1: {} },
    clock,
    random: seededRandom(7),
    onError,
    ...options,
  });
  const open = () => {
    const seen: Fields[] = [];
    const output = {
      queuedBytes: 0,
      isEnded: false,
      answer: 'sent' as Sending,
      send(message: Message): Sending {
        if (output.answer === 'sent' || message.type !== 68) seen.push(toFields(message));
        return message.type === 68 ? output.answer : 'sent';
      },
      sendEvent(event: { readonly message: Message }) {
        seen.push(toFields(event.message));
      },
      end: () => void (output.isEnded = true),
    };
    const connection = router.connect(output, { type: 'memory', serializer: 'none', peer: 'test' });
    return {
      output,
      connection,
      send: (...fields: Fields) => connection.receive(toMessage(fields)),
      /** What came since the last look. */
      look: () => seen.splice(0),
    };
  };
  const join = (realm = 'realm1') => {
    const peer = open();
    peer.send(1, realm, { roles: ROLES });
    expect(peer.look()[0]?.[0]).toBe(2);
    return peer;
  };
  return { router, clock, errors, open, join };
}
