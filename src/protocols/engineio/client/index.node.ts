/* `chorale/engineio` under Node: the same as everywhere, over node:http and npm ws. */

import { onInterrupt } from './interrupt.node.js';
import { NodeLink } from './link.node.js';
import { platform } from './platform.js';

platform.makeLink = (options) => new NodeLink(options);
platform.onInterrupt = onInterrupt;

export * from './index.js';
