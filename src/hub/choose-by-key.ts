/** 32 bits of FNV-1a with a final mix: spread matters here, not secrecy. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * The node that a key belongs to (rendezvous hashing): when a node comes or goes, only keys of that node move.
 *
 *     chooseByKey('sensor-7', ['a', 'b', 'c'], (node) => node);
 */
export function chooseByKey<N>(key: string, nodes: Iterable<N>, nameOf: (node: N) => string): N | undefined {
  let best: N | undefined;
  let bestScore = -1;
  for (const node of nodes) {
    const score = hashText(`${key}\0${nameOf(node)}`);
    if (score > bestScore) {
      best = node;
      bestScore = score;
    }
  }
  return best;
}
