import { asyncReducer } from '../async/async-reducer.js';
import { asyncTable } from '../async/async-table.js';
import { t } from '../schema/type-builders.js';

/* A generated package in one file, made anew for each test; see the generator for what users get. */

export const PERSON = { id: t.u32().primaryKey(), name: t.string(), nick: t.option(t.string()) };
export const NOTE = { author: t.u32(), text: t.string() };
export const ALARM = { text: t.string() };
export const SET_NAME = { id: t.u32(), name: t.string() };

export function makePackage() {
  return {
    Person: asyncTable('person', PERSON),
    Note: asyncTable('note', NOTE),
    Alarm: asyncTable('alarm', ALARM, { event: true }),
    setNameReducer: { reducer: asyncReducer<[id: number, name: string]>('set_name', SET_NAME) },
    tickReducer: { reducer: asyncReducer<[]>('tick', {}) },
  };
}
