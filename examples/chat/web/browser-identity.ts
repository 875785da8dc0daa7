import type { TokenStore } from '../client/chat-session.js';

/* All windows of a browser are one person, unless the address says `?client=2`: then they are another one. */

/** Keeps the token in the browser, one for each client number. Without storage (private windows) it lasts as long as the page. */
export function browserTokens({ search }: Location): TokenStore {
  const key = `chorale-chat-token-${clientNumber(search)}`;
  let token: string | undefined;
  return {
    read() {
      try {
        return localStorage.getItem(key) ?? token;
      } catch {
        return token;
      }
    },
    write(newToken) {
      token = newToken;
      try {
        if (newToken === undefined) localStorage.removeItem(key);
        else localStorage.setItem(key, newToken);
      } catch {
        // Storage is forbidden: the variable has to do.
      }
    },
  };
}

/** The same page as the next client. */
export function linkToAnotherPerson({ search }: Location): string {
  return `?client=${clientNumber(search) + 1}`;
}

function clientNumber(search: string): number {
  const number = Number(new URLSearchParams(search).get('client') ?? 1);
  return Number.isSafeInteger(number) && number > 0 ? number : 1;
}
