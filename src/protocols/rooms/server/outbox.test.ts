import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeFrame, Opcode } from '../../../net/websocket/frame.js';
import { encodeMessage } from '../messages/message.js';
import { Outbox } from './outbox.js';

describe('the outbox of a room', () => {
  it('sends what is durable, in order, each update in a frame of its own', () => {
    const updates = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 });
    fc.assert(
      fc.property(updates, fc.nat(25), fc.uint8Array({ maxLength: 5 }), (added, durable, prefix) => {
        const outbox = new Outbox();
        for (const [i, update] of added.entries()) outbox.add(i + 1, update);
        const last = Uint8Array.of(3);
        const frame = (message: Uint8Array): Uint8Array => encodeFrame(Opcode.binary, prefix, message);
        const frames = (list: readonly Uint8Array[]): Uint8Array[] =>
          list.map((update) => frame(encodeMessage({ kind: 'update', update })));
        const count = outbox.countUpTo(durable);
        const sent = outbox.frames(count, prefix, last);
        expect(sent).toEqual(Buffer.concat([...frames(added.slice(0, durable)), frame(last)]));
        if (count > 0) expect(outbox.drop(count)).toBe(count);
        outbox.add(99, Uint8Array.of(7));
        const rest = [...added.slice(durable), Uint8Array.of(7)];
        expect(outbox.frames(outbox.count, prefix, undefined)).toEqual(Buffer.concat(frames(rest)));
      }),
    );
  });
});
