import { describe, expect, it } from 'vitest';

import { EventHistory, type HistoryLimits, type HistoryQuery, type PastEvent } from './event-history.js';

const wide: HistoryLimits = { eventsMax: 1000, bytesMax: 1e6, ageMaxMs: 1e6 };

function historyOf(count: number, limits: HistoryLimits = wide): EventHistory<PastEvent> {
  const history = new EventHistory<PastEvent>(limits);
  for (let i = 1; i <= count; i++) {
    history.add({ publication: 100 + i, topic: i % 2 === 0 ? 'even' : 'odd', atMicros: i * 1000, bytes: 10 });
  }
  return history;
}

const find = (history: EventHistory<PastEvent>, query: HistoryQuery): number[] =>
  history.find(query, 0, () => true).map(({ publication }) => publication - 100);

describe('EventHistory', () => {
  it('keeps as many events, octets and milliseconds as it was told, and one more not', () => {
    expect(historyOf(5, { ...wide, eventsMax: 5 }).count).toBe(5);
    expect(find(historyOf(6, { ...wide, eventsMax: 5 }), {})).toEqual([2, 3, 4, 5, 6]);
    expect(find(historyOf(6, { ...wide, bytesMax: 30 }), {})).toEqual([4, 5, 6]);
    expect(find(historyOf(6, { ...wide, ageMaxMs: 2 }), {})).toEqual([4, 5, 6]);
    expect(historyOf(10_000, { ...wide, eventsMax: 7 }).count).toBe(7);
  });

  it.each<[HistoryQuery, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ limit: 2 }, [1, 2]],
    [{ limit: 2, reverse: true }, [6, 5]],
    [{ topic: 'even' }, [2, 4, 6]],
    [{ fromMicros: 3000, beforeMicros: 5000 }, [3, 4]],
    [{ afterMicros: 3000, untilMicros: 5000 }, [4, 5]],
    [{ fromPublication: 103, beforePublication: 105 }, [3, 4]],
    [{ afterPublication: 103, untilPublication: 105 }, [4, 5]],
    [{ afterPublication: 999 }, [1, 2, 3, 4, 5, 6]],
    [{ afterPublication: 102, topic: 'even', reverse: true, limit: 1 }, [6]],
  ])('%j finds %j', (query, expected) => {
    expect(find(historyOf(6), query)).toEqual(expected);
  });

  it('what is too old or hidden is not found', () => {
    const history = historyOf(6, { ...wide, ageMaxMs: 4 });
    expect(
      history.find({}, 7000, ({ publication }) => publication !== 105).map((e) => e.publication),
    ).toEqual([103, 104, 106]);
  });
});
