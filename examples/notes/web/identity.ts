import { makePerson, makeStranger, type Person, readPerson } from './person.js';

/** This browser's token, which is what the server knows somebody by, and the name he has given himself. */
export interface Identity {
  readonly token: string;
  readonly identity: string;
}

/* All windows of a browser are one person, unless the address says `?client=2`: then they are another one. */
const key = (search: string, what: string): string =>
  `chorale-notes-${what}-${new URLSearchParams(search).get('client') ?? '1'}`;

export function loadPerson({ search }: Location): Person {
  const stored = readPerson(JSON.parse(localStorage.getItem(key(search, 'person')) ?? 'null'));
  return stored ?? storePerson(location, makeStranger(Math.random()));
}

export function storePerson({ search }: Location, { name, color }: Person): Person {
  localStorage.setItem(key(search, 'person'), JSON.stringify({ name, color }));
  return makePerson(name, color);
}

/** The token that is kept here if the server accepts it, a new one else. Throws while there is no server. */
export async function loadIdentity({ search }: Location): Promise<Identity> {
  const stored = JSON.parse(localStorage.getItem(key(search, 'identity')) ?? 'null') as Identity | null;
  if (stored !== null && (await isAccepted(stored))) return stored;
  const response = await fetch('/v1/identity', { method: 'POST' });
  const { identity, token } = (await response.json()) as Identity;
  localStorage.setItem(key(search, 'identity'), JSON.stringify({ identity, token }));
  return { identity, token };
}

async function isAccepted({ identity, token }: Identity): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`/v1/identity/${identity}/verify`, { headers })).ok;
}
