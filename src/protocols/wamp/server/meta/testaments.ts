import { isDict } from '../../messages/fields.js';
import { type Dict, MessageType } from '../../messages/message.js';
import { Payload, roughBytesOf } from '../../messages/payload.js';
import { Uris } from '../../messages/uri.js';
import { checkOptions } from '../check-options.js';
import type { RouterLimits } from '../options.js';
import type { Realm } from '../realm.js';
import { Refusal, Violation } from '../refusal.js';
import type { Session, Testament } from '../session.js';
import { answer, type MetaTable, textArgument } from './meta-procedures.js';

/** `wamp.session.add_testament` and `flush_testaments`: events that leave when their session does. */
export function testamentProcedures(realm: Realm): MetaTable {
  return {
    'wamp.session.add_testament': (session, args, kwargs) => {
      const topic = textArgument(args);
      realm.checkUri(topic, 'exact');
      if (topic.startsWith('wamp.')) throw new Refusal(Uris.invalidUri);
      const [, eventArgs = [], eventKwargs] = args;
      if (!Array.isArray(eventArgs)) throw new Refusal(Uris.invalidArgument, 'args are a list');
      if (eventKwargs !== undefined && eventKwargs !== null && !isDict(eventKwargs)) {
        throw new Refusal(Uris.invalidArgument, 'kwargs are a dict');
      }
      const allowed = realm.authorize(session, 'publish', topic, 'exact', {});
      // A meta procedure answers at once; who decides slowly decides when the testament is used: not at all.
      if (allowed instanceof Promise) {
        allowed.catch(() => {});
        throw new Refusal(Uris.notAuthorized, 'testaments need an authorizer that answers at once');
      }
      const options = readOptions(kwargs);
      const payload = Payload.of(eventArgs, eventKwargs ?? undefined);
      addTestament(session, { topic, payload, options, scope: readScope(kwargs) }, realm.services.limits);
      return answer(null);
    },
    'wamp.session.flush_testaments': (session, _args, kwargs) => {
      const scope = readScope(kwargs);
      session.testaments = session.testaments.filter((testament) => testament.scope !== scope);
      return answer(null);
    },
  };
}

function addTestament(
  session: Session,
  testament: Testament,
  { testamentsPerSession, testamentBytes }: RouterLimits,
): void {
  const testaments = [...session.testaments, testament];
  let bytes = 0;
  for (const { payload, options } of testaments) bytes += payload.roughBytes + roughBytesOf(options);
  if (testaments.length > testamentsPerSession || bytes > testamentBytes) {
    throw new Refusal(Uris.notAuthorized, 'too many testaments');
  }
  session.testaments = testaments;
}

function readOptions(kwargs: Dict): Dict {
  const options = kwargs['publish_options'] ?? {};
  if (!isDict(options)) throw new Refusal(Uris.invalidArgument, 'publish_options are a dict');
  try {
    checkOptions(MessageType.publish, options);
  } catch (error) {
    if (error instanceof Violation) throw new Refusal(Uris.invalidArgument, error.message);
    throw error;
  }
  return options;
}

function readScope(kwargs: Dict): 'destroyed' | 'detached' {
  const scope = kwargs['scope'] ?? 'destroyed';
  if (scope === 'destroyed' || scope === 'detached') return scope;
  throw new Refusal(Uris.invalidArgument, 'scope is destroyed or detached');
}
