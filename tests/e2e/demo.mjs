// The demo, people on a street, as a page to look at.
import { readFileSync } from 'node:fs';

import { root, startServer } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

function demo(layout, model, zone) {
  const workflow = JSON.parse(readFileSync(`${root}/workflows/demo.json`));
  Object.assign(workflow.nodes.find(({ id }) => id === 'live').data, { layout });
  Object.assign(workflow.nodes.find(({ id }) => id === 'detector').data, model);
  if (zone !== null) {
    workflow.nodes.push({ id: 'zone', type: 'zone', position: { x: 400, y: 0 }, data: zone });
    workflow.edges.find(({ target }) => target === 'live').source = 'zone';
    workflow.edges.push({ id: 'detector-zone', source: 'detector', target: 'zone' });
  }
  return workflow;
}

/** The demo's view in this layout, its model with these settings and a zone before it, if any, until it
 * shows objects. */
export async function openDemo(t, layout, model = {}, least = 3, transport = 'webrtc', zone = null) {
  const server = await startServer(demo(layout, model, zone));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/live?transport=${transport}`);
  await showsPictures(page, transport);
  await page.waitForFunction((least) => (document.querySelector('overwatch-view').metadata?.objects.length ?? 0) >= least, least, { timeout: 20000 });
  return page;
}
