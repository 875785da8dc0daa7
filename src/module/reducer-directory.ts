import type { Clock } from '../base/clock.js';
import { closestWord } from '../base/closest-word.js';
import { compileCodec, decodeFromBytes } from '../values/bsatn/codec.js';
import type { Codec } from '../values/bsatn/codec.js';
import type { Identity } from '../values/identity.js';
import { decodeJson } from '../values/sats-json/decode-json.js';
import { messageOf } from './crashes.js';
import type { Module, RunnableReducer } from './definition/build-module.js';
import type { Caller, Lifecycle, ReducerOutcome } from './module-def.js';

export interface HostedReducer extends RunnableReducer {
  readonly codec: Codec;
}

/** What a call comes to that is not run. */
export type Refusal = Extract<ReducerOutcome, { readonly kind: 'unknown' | 'badArguments' }>;

export interface ReducerDirectoryOptions {
  readonly clock: Clock;
  /** Who may call what others cannot see. */
  readonly isTrusted: (identity: Identity) => boolean;
}

/** What the wire calls the lifecycle reducers, for the refusal. */
const LIFECYCLE_NAMES: Readonly<Record<Lifecycle, string>> = {
  init: 'Init',
  clientConnected: 'OnConnect',
  clientDisconnected: 'OnDisconnect',
};

/** The reducers of a module as they are called: by what names, by whom, with what arguments. */
export class ReducerDirectory {
  readonly #module: Module;
  readonly #options: ReducerDirectoryOptions;
  readonly #byName: ReadonlyMap<string, HostedReducer>;

  constructor(module: Module, options: ReducerDirectoryOptions) {
    this.#module = module;
    this.#options = options;
    const { typespace } = module.def.schema;
    const hosted = [...module.reducers.values()].map((reducer) => ({
      ...reducer,
      codec: compileCodec(reducer.def.params, typespace),
    }));
    this.#byName = new Map(hosted.map((reducer) => [reducer.def.name, reducer]));
  }

  /** The reducer that a client calls, or why he may not. @param name canonical. */
  find(name: string, { identity }: Caller): HostedReducer | Refusal {
    const reducer = this.#byName.get(name);
    if (reducer === undefined) return this.#unknown(name);
    const { lifecycle, isPrivate } = reducer.def;
    if (lifecycle !== undefined) {
      const message = `can't directly call special ${LIFECYCLE_NAMES[lifecycle]} lifecycle reducer`;
      return { kind: 'badArguments', message, timestampMicros: this.#options.clock.nowMicros() };
    }
    return isPrivate && !this.#options.isTrusted(identity) ? this.#unknown(name) : reducer;
  }

  /** The one that a schedule names as its author does. */
  findScheduled(sourceName: string): HostedReducer | Refusal {
    for (const reducer of this.#byName.values()) if (reducer.def.sourceName === sourceName) return reducer;
    return this.#unknown(sourceName);
  }

  ofLifecycle(lifecycle: Lifecycle): HostedReducer | undefined {
    for (const reducer of this.#byName.values()) if (reducer.def.lifecycle === lifecycle) return reducer;
    return undefined;
  }

  /** Arguments from a BSATN product. Throws for what is none. */
  decode({ codec }: HostedReducer, args: Uint8Array): unknown {
    return decodeFromBytes(codec, args);
  }

  /** The same from SATS-JSON: an array in order, or an object by canonical names. Nothing at all is no arguments. */
  decodeJson({ def }: HostedReducer, jsonText: string): unknown {
    const { typespace } = this.#module.def.schema;
    return decodeJson(def.params, jsonText.trim() === '' ? '[]' : jsonText, typespace);
  }

  badArguments({ def }: HostedReducer, error: unknown): Refusal {
    const message = `invalid arguments for reducer ${def.name}: ${messageOf(error)}`;
    return { kind: 'badArguments', message, timestampMicros: this.#options.clock.nowMicros() };
  }

  #unknown(name: string): Refusal {
    const known = this.#module.def.reducers.filter(({ isPrivate }) => !isPrivate).map((def) => def.name);
    const closest = closestWord(name, known);
    const hint = closest === undefined ? '' : ` (did you mean \`${closest}\`?)`;
    const message = `no such reducer: \`${name.slice(0, 80)}\`${hint}`;
    return { kind: 'unknown', message, timestampMicros: this.#options.clock.nowMicros() };
  }
}

export function isRefusal(found: HostedReducer | Refusal): found is Refusal {
  return 'kind' in found;
}
