import type { Person } from '../client/chat-session.js';

/** Makes an element the avatar of a person: his initials on a colour of his own. */
export function paintAvatar(element: HTMLElement, { id, name }: Person): void {
  element.textContent = name === undefined ? '?' : initials(name);
  element.style.setProperty('--hue', String(hue(id)));
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '');
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => [...new Intl.Segmenter().segment(word ?? '')][0]?.segment ?? '').join('');
}

/** Always the same for the same identity. */
function hue(id: string): number {
  // Behind the prefix that all identities share.
  return Number.parseInt(id.slice(4, 10), 16) % 360;
}
