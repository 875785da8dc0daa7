import type { BlackWhiteListInit } from './black-white-list.js';
import type { Dict, Kwargs } from './payload.js';
import type { PassThru } from './payload-passthru.js';

export interface PublishOptions<K = Kwargs> {
  /** Named arguments. */
  readonly kwargs?: K | undefined;
  /** Has the router confirm it, with the publication's id; or refuse it, with an ERROR. */
  readonly acknowledge?: boolean | undefined;
  /** Who may receive it: a BlackWhiteList, or its lists. */
  readonly blackWhiteList?: BlackWhiteListInit | undefined;
  /** Whether the publisher does not receive it himself. True unless given. */
  readonly excludeMe?: boolean | undefined;
  /** Tells subscribers who publishes. */
  readonly discloseMe?: boolean | undefined;
  /** Which of several subscribers receive it depends on this key (sharded subscriptions). */
  readonly resourceKey?: string | undefined;
  /** Keeps the event for those who subscribe later. */
  readonly retain?: boolean | undefined;
  /** Sends the payload in a form that the router passes through unseen. */
  readonly passThru?: PassThru | undefined;
  /** More options for PUBLISH, as they stand in the message; these win. */
  readonly options?: Dict | undefined;
}

export function publishDict(options: PublishOptions<unknown>): Dict {
  return {
    acknowledge: options.acknowledge,
    exclude_me: options.excludeMe,
    disclose_me: options.discloseMe,
    rkey: options.resourceKey,
    retain: options.retain,
    ...listOptions(options.blackWhiteList ?? {}),
    ...options.passThru?.options(),
    ...options.options,
  };
}

/** Names by which receivers are told apart, as they stand in the options and in the lists. */
const NAMES = [
  ['', 'Ids'],
  ['_authid', 'AuthIds'],
  ['_authrole', 'AuthRoles'],
] as const;

/** Who may receive it, as it stands in the options. An empty list of eligible ones keeps everybody out. */
export function listOptions(lists: BlackWhiteListInit): Dict {
  const dict: Record<string, unknown> = {};
  for (const [suffix, name] of NAMES) {
    const excluded = [...(lists[`excluded${name}`] ?? [])];
    const eligible = lists[`eligible${name}`];
    if (excluded.length > 0) dict[`exclude${suffix}`] = excluded;
    if (eligible !== undefined) dict[`eligible${suffix}`] = [...eligible];
  }
  return dict;
}
