import { Server } from '../../src/protocols/engineio/server/index.js';
import { serveNpmShape } from './npm-shape.js';

// The same program as for npm engine.io, with another import.
serveNpmShape(Server);
