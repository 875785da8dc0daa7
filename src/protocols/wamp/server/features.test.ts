import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { AnnouncedFeatures, ROUTER_ROLES } from './features.js';

/*
 * Nothing is announced that is not implemented: each feature has a test of that name, and so has each row of the coverage table.
 */

const root = path.join(import.meta.dirname, '../../../..');
const FEATURES = 'test/conformance/wamp-features.ts';
const BASIC = 'test/conformance/wamp.ts';
const ROUTER = 'src/protocols/wamp/server/router.test.ts';

/** What proves a feature. */
const PROOFS: Readonly<Record<string, readonly [file: string, test: string]>> = {
  'broker event_history': [FEATURES, 'history: the last events of a subscription, by what is asked'],
  'broker event_retention': [
    FEATURES,
    'a retained event waits for those who ask for it, as far as they are eligible',
  ],
  'broker pattern_based_subscription': [
    FEATURES,
    'each matching subscription has the event once, with one publication; patterns say the topic',
  ],
  'broker payload_passthru_mode': [FEATURES, 'payload passthru of an event goes to all, as it came'],
  'broker publication_trustlevels': [
    ROUTER,
    'its trust level goes to callees, also to the next one, and to subscribers',
  ],
  'broker publisher_exclusion': [BASIC, 'an event goes to all subscribers but the publisher'],
  'broker publisher_identification': [FEATURES, 'publishers are disclosed when they ask for it'],
  'broker session_meta_api': [FEATURES, 'the session meta API and its events'],
  'broker sharded_subscription': [FEATURES, 'node keys share the events that have a resource key'],
  'broker subscriber_blackwhite_listing': [
    FEATURES,
    'black and white lists by session, authid and role all have to agree',
  ],
  'broker subscription_meta_api': [FEATURES, 'the subscription meta API, its events, and revocation'],
  'broker subscription_revocation': [FEATURES, 'the subscription meta API, its events, and revocation'],
  'dealer call_canceling': [FEATURES, 'CANCEL kill: the callee is interrupted and has the last word'],
  'dealer call_reroute': [FEATURES, 'a callee that is unavailable passes the call on'],
  'dealer call_timeout': [
    FEATURES,
    'a timeout interrupts the callee; with forward_timeout it is the callee who watches',
  ],
  'dealer call_trustlevels': [
    ROUTER,
    'its trust level goes to callees, also to the next one, and to subscribers',
  ],
  'dealer caller_identification': [
    FEATURES,
    'callers are disclosed when they, the callee or the realm say so',
  ],
  'dealer pattern_based_registration': [
    FEATURES,
    'patterns are called with the procedure that was meant, the best one first',
  ],
  'dealer payload_passthru_mode': [
    FEATURES,
    'payload passthru is passed with its description, to those who announced it',
  ],
  'dealer progressive_call_invocations': [
    FEATURES,
    'progressive invocations go to one callee as one invocation',
  ],
  'dealer progressive_call_results': [
    FEATURES,
    'progressive results come before the final one, to those who asked',
  ],
  'dealer registration_meta_api': [FEATURES, 'the registration meta API and its events'],
  'dealer registration_revocation': [FEATURES, 'force_reregister and remove_callee take a registration away'],
  'dealer session_meta_api': [
    FEATURES,
    'sessions are killed one by one, by authid, by role and all but the caller',
  ],
  'dealer sharded_registration': [FEATURES, 'runmode partition: a key stays with its callee'],
  'dealer shared_registration': [
    FEATURES,
    'shared registrations take turns; another policy is procedure_already_exists',
  ],
  'dealer testament_meta_api': [
    FEATURES,
    'testaments are published when their session ends, in order, unless flushed',
  ],
};

it('of what a client announces only that is remembered which the router asks for', () => {
  const features = { call_timeout: true, call_canceling: 'yes', junk: true };
  const announced = new AnnouncedFeatures({ callee: { features }, caller: true, junk: { features } });
  expect([announced.has('callee', 'call_timeout'), announced.canCancel('callee')]).toEqual([true, false]);
  expect(announced.has('callee', 'junk' as 'call_timeout')).toBe(false);
  expect(announced.has('junk' as 'callee', 'call_timeout')).toBe(false);
});

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** Whether a file has a test of that name; the end may be left out with dots. */
function hasTest(file: string, name: string): boolean {
  const start = name.replace(/ ?(\.\.\.|…)$/, '');
  return ["'", '"', '`'].some((quote) => read(file).includes(`${quote}${start}`));
}

describe('what is announced', () => {
  const announced = Object.entries(ROUTER_ROLES).flatMap(([role, { features }]) =>
    Object.keys(features).map((name) => `${role} ${name}`),
  );

  it('is what has a proof, and nothing else', () => {
    expect(announced.toSorted()).toEqual(Object.keys(PROOFS).toSorted());
  });

  it.each(announced)('%s has a test', (feature) => {
    const [file, test] = PROOFS[feature]!;
    expect(hasTest(file, test), `${file} has a test "${test}"`).toBe(true);
  });
});

describe('the coverage table of the router', () => {
  const rows = read('docs/coverage-wamp.md')
    .split('## The router')[1]!
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (announced as|what|message) \|/.test(line));

  it('names a test for each feature, option and procedure that is there', () => {
    const bare = rows.filter(
      (row) => / (yes|partial) /.test(row) && !/\.(test\.)?ts`/.test(row) && !row.includes('"'),
    );
    expect(bare).toEqual([]);
  });

  it.each(rows)('%s', (row) => {
    let file = FEATURES;
    for (const [, inTicks, inQuotes] of row.matchAll(/`([\w./-]+\.ts)`|"([^"]+)"/g)) {
      if (inTicks !== undefined) file = inTicks;
      else {
        const files = file === FEATURES ? [FEATURES, BASIC] : [file];
        expect(
          files.some((one) => hasTest(one, inQuotes!)),
          `${files.join(', ')}: "${inQuotes}"`,
        ).toBe(true);
      }
    }
  });

  it.each(announced())('%s has a row', (name) => {
    expect(rows.some((row) => row.includes(`\`${name}\``))).toBe(true);
  });

  function announced(): string[] {
    return Object.values(ROUTER_ROLES).flatMap(({ features }) => Object.keys(features));
  }
});
