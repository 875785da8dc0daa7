import type { BlackWhiteListInit } from './black-white-list.js';
import { definedOptions } from './payload.js';
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
  return definedOptions(
    {
      acknowledge: options.acknowledge,
      exclude_me: options.excludeMe,
      disclose_me: options.discloseMe,
      rkey: options.resourceKey,
      retain: options.retain,
      ...listOptions(options.blackWhiteList ?? {}),
      ...options.passThru?.options(),
    },
    options.options,
  );
}

/** Who may receive it, as it stands in the options. An empty list of eligible ones keeps everybody out. */
export function listOptions(lists: BlackWhiteListInit): Dict {
  const excluded = (names: Iterable<number | string> = []): unknown => {
    const list = [...names];
    return list.length === 0 ? undefined : list;
  };
  return definedOptions({
    exclude: excluded(lists.excludedIds),
    exclude_authid: excluded(lists.excludedAuthIds),
    exclude_authrole: excluded(lists.excludedAuthRoles),
    eligible: lists.eligibleIds && [...lists.eligibleIds],
    eligible_authid: lists.eligibleAuthIds && [...lists.eligibleAuthIds],
    eligible_authrole: lists.eligibleAuthRoles && [...lists.eligibleAuthRoles],
  });
}
