import type { ChatSession, Person } from '../client/chat-session.js';
import { paintAvatar } from './avatar.js';
import { find, make } from './find.js';

/** Who is here. On a phone, behind a button that says how many. */
export class PeoplePanel {
  readonly #panel = find('people', HTMLElement);
  readonly #toggle = find('people-toggle', HTMLButtonElement);
  readonly #list = find('online-list', HTMLUListElement);
  readonly #count = find('online-count', HTMLSpanElement);
  readonly #heading = find('people-heading', HTMLHeadingElement);

  constructor() {
    this.#toggle.addEventListener('click', () => {
      const isOpen = this.#panel.classList.toggle('open');
      this.#toggle.setAttribute('aria-expanded', String(isOpen));
    });
  }

  show(session: ChatSession): void {
    const online = session.people.filter((person) => person.isOnline);
    this.#count.textContent = `${online.length} online`;
    this.#heading.textContent = `Online (${online.length})`;
    this.#list.replaceChildren(...online.map((person) => personItem(person, person.id === session.myId)));
  }
}

function personItem(person: Person, isMe: boolean): HTMLElement {
  const item = make('li', 'person');
  const avatar = make('span', 'avatar');
  avatar.ariaHidden = 'true';
  paintAvatar(avatar, person);
  item.append(avatar, make('span', 'person-name', person.label));
  if (isMe) item.append(make('span', 'you', ' (you)'));
  return item;
}
