/** Longer words are compared by case only: nobody mistypes 64 letters into something recognisable. */
const WORD_LENGTH_MAX = 64;

/**
 * The candidate that `word` is most likely a slip of, for "did you mean": equal but for case, or at most a third of its
 * letters wrong. Undefined when nothing is close.
 *
 * @example
 * closestWord('nam', ['id', 'name']) // 'name'
 */
export function closestWord(word: string, candidates: Iterable<string>): string | undefined {
  const lowered = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    if (other === lowered) return candidate;
    if (word.length > WORD_LENGTH_MAX || Math.abs(other.length - word.length) >= bestDistance) continue;
    const distance = editDistance(lowered, other);
    if (distance < bestDistance && distance < word.length) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** How many letters have to be inserted, removed, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let cost = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (isSame ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, beforePrevious[column - 2]! + 1);
      }
      current.push(cost);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length]!;
}
