/* Writes letters into a file that others write, too: PATH LETTER COUNT [squash]. */
import { setTimeout } from 'node:timers/promises';

import { connect } from '../index.js';

const [path = '', letter = '', count = '0', squash] = process.argv.slice(2);
const client = await connect('file', { path, watch: true, squash: squash === 'squash' });
for (let i = 0; i < Number(count); i++) {
  client.doc.getText('t').insert(0, letter);
  // Between the others' letters, not all at once.
  await setTimeout(1);
}
await client.close();
