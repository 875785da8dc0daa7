import type { Args, Kwargs } from './payload.js';

/*
 * What a realm offers, as a type. Write it by hand, or generate it; a client without one takes any URI and any values.
 *
 *     interface Shop {
 *       procedures: { 'com.shop.price': { args: [article: string]; result: number } };
 *       topics: { 'com.shop.sold': { args: [article: string, count: number] } };
 *     }
 *     const client = await connect<Shop>(url, { realm: 'shop' });
 *     const price = await client.call('com.shop.price', ['tea']);     // number
 */

export interface ProcedureType {
  readonly args?: Args;
  readonly kwargs?: object;
  readonly result?: unknown;
  readonly progress?: Args;
}

export interface TopicType {
  readonly args?: Args;
  readonly kwargs?: object;
}

export interface ApiType {
  readonly procedures: object;
  readonly topics: object;
}

/** Any URI, any values. */
export interface AnyApi {
  readonly procedures: Readonly<Record<string, AnyProcedure>>;
  readonly topics: Readonly<Record<string, AnyTopic>>;
}

interface AnyProcedure {
  readonly args: Args;
  readonly kwargs: Kwargs;
  readonly result: unknown;
  readonly progress: Args;
}

interface AnyTopic {
  readonly args: Args;
  readonly kwargs: Kwargs;
}

export type ProcedureOf<Api extends ApiType> = Extract<keyof Api['procedures'], string>;
export type TopicOf<Api extends ApiType> = Extract<keyof Api['topics'], string>;

type Part<Type, Key extends string, Default> = Type extends { readonly [K in Key]: infer Value }
  ? Value
  : Default;

export type ArgsOf<Type> = Part<Type, 'args', readonly []> & Args;
export type KwargsOf<Type> = Part<Type, 'kwargs', Kwargs> & object;
export type ResultOf<Type> = Part<Type, 'result', void>;
export type ProgressOf<Type> = Part<Type, 'progress', Args> & Args;
