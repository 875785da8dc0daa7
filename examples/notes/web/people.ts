import type { Awareness } from 'chorale/rooms';

import { find, make } from './find.js';
import { initialsOf, type Person, readPerson } from './person.js';

const SHOWN_MAX = 6;

/** Everybody who has the note open, in a row; oneself is where the name is changed. */
export function showPeople(awareness: Awareness): void {
  const others = Array.from(awareness.getStates())
    .filter(([clientId]) => clientId !== awareness.clientID)
    .flatMap(([, { user }]) => readPerson(user) ?? []);
  const list = find('people');
  list.replaceChildren(...others.slice(0, SHOWN_MAX).map((person) => makeAvatar(person, 'li')));
  if (others.length > SHOWN_MAX) list.append(make('li', 'avatar more', `+${others.length - SHOWN_MAX}`));
}

export function makeAvatar(person: Person, tag = 'span'): HTMLElement {
  const avatar = make(tag, 'avatar', initialsOf(person.name));
  avatar.title = person.name;
  avatar.setAttribute('aria-label', person.name);
  avatar.style.setProperty('--color', person.color);
  return avatar;
}

/** The button with one's own name, and the small form behind it. */
export function showOneself(person: Person, onRename: (name: string) => void): void {
  const [button, form, input] = [find('me'), find('name-form'), find('name') as HTMLInputElement];
  const show = ({ name, color }: Person): void => {
    button.textContent = initialsOf(name);
    button.title = `${name} (you)`;
    button.setAttribute('aria-label', `${name} (you): change name`);
    button.style.setProperty('--color', color);
    input.value = name;
  };
  const toggle = (isOpen: boolean): void => {
    form.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) input.select();
  };
  show(person);
  button.addEventListener('click', () => toggle(form.hidden !== false));
  form.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') toggle(false);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name === '') return;
    onRename(name);
    show({ ...person, name });
    toggle(false);
    button.focus();
  });
}
