import { Server } from 'engine.io';

import { serveNpmShape } from './npm-shape.js';

serveNpmShape(Server);
