import type { ChatSession, Message } from '../client/chat-session.js';
import { paintAvatar } from './avatar.js';
import { find, make } from './find.js';

// Five minutes: what somebody says in one go stands under one name.
const GROUP_MICROS = 300_000_000n;

// 1000: what a browser lays out without effort. Older ones are left to a real application's paging.
const SHOWN_MAX = 1_000;

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

/** The conversation. Stays at its end as long as the reader is there. */
export class MessageList {
  readonly #scroller = find('scroller', HTMLDivElement);
  readonly #list = find('messages', HTMLOListElement);
  readonly #empty = find('empty', HTMLDivElement);
  readonly #newer = find('newer', HTMLButtonElement);
  /** What is on the screen, in its order, so that only new messages are made. */
  #shown: readonly Message[] = [];
  #isFollowing = true;

  constructor() {
    this.#newer.addEventListener('click', () => this.scrollToEnd());
    this.#scroller.addEventListener('scroll', () => {
      this.#isFollowing = this.#isAtEnd();
      if (this.#isFollowing) this.#newer.hidden = true;
    });
    // The banner, a keyboard on the screen, a turned phone: the end stays in sight.
    new ResizeObserver(() => {
      if (this.#isFollowing) this.scrollToEnd();
    }).observe(this.#scroller);
  }

  show(session: ChatSession): void {
    const messages = session.messages.slice(-SHOWN_MAX);
    const grew = messages.length > this.#shown.length;
    this.#update(messages, session);
    this.#shown = messages;
    this.#empty.hidden = messages.length > 0 || !session.isOnline;
    if (this.#isFollowing) this.scrollToEnd();
    else if (grew) this.#newer.hidden = false;
  }

  scrollToEnd(): void {
    this.#isFollowing = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newer.hidden = true;
  }

  #update(messages: readonly Message[], session: ChatSession): void {
    const isContinued = this.#shown.every((message, index) => message === messages[index]);
    if (!isContinued) this.#list.replaceChildren();
    const first = isContinued ? this.#shown.length : 0;
    for (let i = first; i < messages.length; i++) this.#append(messages[i - 1], messages[i]!, session.myId);
    this.#nameSenders(session);
  }

  #append(previous: Message | undefined, message: Message, myId: string | undefined): void {
    const date = new Date(Number(message.sentMicros / 1000n));
    const isNewDay = previous === undefined || dayOf(previous) !== dayOf(message);
    if (isNewDay) this.#list.append(make('li', 'day', dayText(date)));
    const isSameGroup =
      !isNewDay &&
      previous.senderId === message.senderId &&
      message.sentMicros - previous.sentMicros < GROUP_MICROS;
    this.#list.append(messageItem(message, date, { isMine: message.senderId === myId, isSameGroup }));
  }

  /** Names change, also of those who wrote long ago. */
  #nameSenders(session: ChatSession): void {
    for (const item of this.#list.querySelectorAll<HTMLElement>('.message')) {
      const person = session.person(item.dataset['sender'] ?? '');
      const sender = item.querySelector('.sender');
      const avatar = item.querySelector<HTMLElement>('.avatar');
      if (sender === null || avatar === null || sender.textContent === person.label) continue;
      sender.textContent = person.label;
      paintAvatar(avatar, person);
    }
  }

  #isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    return scrollTop + clientHeight >= scrollHeight - 40;
  }
}

function messageItem(
  message: Message,
  date: Date,
  { isMine, isSameGroup }: { readonly isMine: boolean; readonly isSameGroup: boolean },
): HTMLElement {
  const item = make('li', `message${isMine ? ' mine' : ''}${isSameGroup ? ' follows' : ''}`);
  item.dataset['sender'] = message.senderId;
  const avatar = make('span', 'avatar');
  avatar.ariaHidden = 'true';
  const head = make('div', 'head');
  head.append(make('span', 'sender'), timeElement(date));
  const bubble = make('div', 'bubble', message.text);
  bubble.title = date.toLocaleString();
  item.append(avatar, head, bubble);
  return item;
}

function timeElement(date: Date): HTMLTimeElement {
  const time = document.createElement('time');
  time.dateTime = date.toISOString();
  time.textContent = TIME.format(date);
  return time;
}

function dayOf(message: Message): string {
  return new Date(Number(message.sentMicros / 1000n)).toDateString();
}

function dayText(date: Date): string {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
  if (days === 0) return 'Today';
  return days === 1 ? 'Yesterday' : DAY.format(date);
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
