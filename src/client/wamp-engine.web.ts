/* What a page loads for `transports`, as one file. */

export { Client } from '../protocols/engineio/client/client.js';
export { wampOverEngine } from './wamp-engine.js';
