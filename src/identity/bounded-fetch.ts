import type { Clock } from '../base/clock.js';

/** How much trouble a stranger's HTTP server may make us. */
export interface FetchLimits {
  readonly timeoutMs: number;
  readonly bytesMax: number;
}

/**
 * The JSON at `url`. Throws when the answer is not a 200, comes too late, is too large or is not JSON. Redirects are not
 * followed: they would lead around the rules about which addresses may be asked.
 */
export async function fetchJson(url: URL, limits: FetchLimits, clock: Clock): Promise<unknown> {
  const abort = new AbortController();
  const timer = clock.startTimer(limits.timeoutMs, () => {
    abort.abort(new Error(`no answer from ${url.href} within ${limits.timeoutMs} ms`));
  });
  try {
    const headers = { accept: 'application/json' };
    const response = await fetch(url, { redirect: 'error', signal: abort.signal, headers });
    if (response.status !== 200) throw new Error(`${url.href} answered ${response.status}`);
    return JSON.parse(await readText(response, limits.bytesMax, url));
  } finally {
    timer.cancel();
    // Frees the socket of an answer that was not read to its end.
    abort.abort();
  }
}

async function readText(response: Response, bytesMax: number, url: URL): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new Error(`the answer of ${url.href} has more than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
