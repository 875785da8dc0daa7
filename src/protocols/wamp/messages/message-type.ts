/* The codes of messages: each a constant of its own, which bundlers put where it is used. */

export const hello = 1;
export const welcome = 2;
export const abort = 3;
export const challenge = 4;
export const authenticate = 5;
export const goodbye = 6;
export const error = 8;
export const publish = 16;
export const published = 17;
export const subscribe = 32;
export const subscribed = 33;
export const unsubscribe = 34;
export const unsubscribed = 35;
export const event = 36;
export const call = 48;
export const cancel = 49;
export const result = 50;
export const register = 64;
export const registered = 65;
export const unregister = 66;
export const unregistered = 67;
export const invocation = 68;
export const interrupt = 69;
const yieldCode = 70;
export { yieldCode as yield };
export const eventReceived = 337;
