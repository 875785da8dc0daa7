import { connect } from 'chorale/wamp';
import { REALM } from '../jobs-api.js';
import type { JobsApi } from '../jobs-api.js';
import { Job } from './job.js';
import { JobView } from './job-view.js';
import { WorkersView } from './workers-view.js';

function find(id: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(`#${id}`);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

const [form, jobs, noJobs, banner] = [find('form'), find('jobs'), find('no-jobs'), find('banner')];
const limit = find('limit') as HTMLInputElement;
const card = find('job') as HTMLTemplateElement;
const workers = new WorkersView(find('workers'), find('no-workers'));

const client = await connect<JobsApi>(location.origin, { realm: REALM, reconnect: true });

function showState(): void {
  const isOnline = client.state === 'open';
  document.body.dataset['state'] = isOnline ? 'online' : 'offline';
  banner.hidden = isOnline;
  if (!isOnline) workers.clear();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const view: JobView = new JobView(card, limit.valueAsNumber, () => job.cancel());
  const job = new Job(client, limit.valueAsNumber, (changed) => view.show(changed));
  view.show(job);
  jobs.prepend(view.element);
  noJobs.hidden = true;
});

client.on('state', showState);
await client.subscribe('jobs.workers', ({ topic, args: [status] }) => workers.show(topic, status), {
  matchPolicy: 'prefix',
  getRetained: true,
});
showState();
