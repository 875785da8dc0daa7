import { connect } from 'chorale/wamp';
import { REALM } from '../jobs-api.js';
import type { JobsApi } from '../jobs-api.js';
import { Job } from './job.js';
import { JobView } from './job-view.js';

function find(id: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(`#${id}`);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

const [form, jobs, news] = [find('form'), find('jobs'), find('news')];
const limit = find('limit') as HTMLInputElement;

const client = await connect<JobsApi>(location.origin, { realm: REALM, reconnect: true });

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const view: JobView = new JobView(limit.valueAsNumber, () => job.cancel());
  const job = new Job(client, limit.valueAsNumber, (changed) => view.show(changed));
  jobs.prepend(view.element);
});

for await (const { args } of client.events('jobs.news', { buffer: 100 })) {
  const line = document.createElement('li');
  line.textContent = args[0];
  news.prepend(line);
  // Older news are no news.
  while (news.childElementCount > 20) news.lastElementChild?.remove();
}
