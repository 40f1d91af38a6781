// The page in a real Chromium, against a server that answers as the API does: what it shows, and how it is used.
import {after, before, test} from 'node:test';
import assert from 'node:assert/strict';
import {launch, visit, accessible, narrow, picture, desktop, phone, small} from './browser.mjs';
import {Fake} from './fake.mjs';
import {agentOf, attack, failingAgent, hostile, large, troubled} from './data.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Runs a test against a server of its own. */
const against = (name, run) => test(name, {timeout: 120_000}, async (t) => {
  const fake = await new Fake().start();
  t.after(() => fake.stop());
  await run(fake, t);
});

const live = (page) => page.getByText('Live', {exact: true}).waitFor();
const row = (page, name) => page.locator('.services tbody tr', {has: page.getByRole('link', {name, exact: true})});
const refused = (status) => (text) => text.includes(`status of ${status}`);
const away = (text) => /ERR_|Failed to load resource/.test(text);
const until = async (what, check) => {
  for (const end = Date.now() + 10_000; ; await new Promise((resolve) => { setTimeout(resolve, 50); })) {
    if (await check()) return;
    if (Date.now() > end) assert.fail(`it did not come to pass: ${what}`);
  }
};

const views = [
  ['list', '#/services', 'shop/grafana'], ['detail', '#/services/shop/grafana', 'What you can do'], ['rejected', '#/services/sandbox/evil', 'An annotation decided'],
  ['toolsets', '#/toolsets', 'grafana/dashboards'], ['document', '#/document', 'Variables that HolmesGPT needs'], ['diff', '#/document/custom_toolset.yaml?show=replaced', '3 lines added'],
  ['changes', '#/changes', 'Leadership'],
];

for (const scheme of ['light', 'dark']) {
  for (const [size, viewport] of [['desktop', desktop], ['phone', phone]]) {
    against(`every view is readable: ${size}, ${scheme}`, async (fake) => {
      const page = await visit(browser, fake.url, {viewport, scheme});
      await live(page);
      for (const [name, hash, text] of views) {
        await page.goto(fake.url + hash);
        await page.locator('main').getByText(text).first().waitFor();
        await accessible(page, `${name} ${size} ${scheme}`);
        await narrow(page, name);
        await picture(page, `${name}-${size}-${scheme}`);
      }
      troubled(fake);
      fake.tell();
      await page.goto(`${fake.url}#/document/overrides.yaml`);
      await page.locator('.error').getByText('Line 3, column 5').waitFor();
      assert.equal(await page.locator('.marked code').textContent(), '    config: [not, a, mapping]');
      await accessible(page, `overrides ${size} ${scheme}`);
      await narrow(page, 'overrides');
      await page.goto(`${fake.url}#/services`);
      await row(page, 'shop/grafana').waitFor();
      for (const title of ['The document is not written', 'The overrides are not valid', 'Namespaces that may not be watched', 'Warning']) await page.getByText(title, {exact: true}).waitFor();
      await accessible(page, `problems ${size} ${scheme}`);
      await narrow(page, 'problems');
      await picture(page, `problems-${size}-${scheme}`);
      await page.leave();
    });
  }
}

against('nothing is wider than a small phone', async (fake) => {
  const page = await visit(browser, fake.url, {viewport: small});
  await live(page);
  troubled(fake);
  fake.tell();
  for (const [name, hash, text] of [...views, ['overrides', '#/document/overrides.yaml', 'Line 3']]) {
    await page.goto(fake.url + hash);
    await page.locator('main').getByText(text).first().waitFor();
    await narrow(page, name);
  }
  await page.leave();
});

against('who asks why a backend is missing gets the answer in one click', async (fake) => {
  const page = await visit(browser, fake.url);
  await page.getByRole('button', {name: /Unavailable/}).click();
  await until('only those are shown', async () => (await page.locator('.services tbody tr').count()) === 2);
  await row(page, 'shop/grafana').click({position: {x: 600, y: 10}}); // anywhere in the row
  await page.getByRole('heading', {name: 'shop/grafana'}).waitFor();
  for (const text of ['shop/grafana is unavailable as grafana: it cannot be reached', 'What you can do', 'kubernaut.io/toolset-port=PORT', 'Requests of the probe', 'no response', 'port service:80: its target port is Grafana’s own 3000', 'Types that were compared', 'too little evidence', 'Its recent changes', 'Withdrawn', 'app.kubernetes.io/instance=']) {
    await page.locator('main').getByText(text).first().waitFor();
  }
  assert.match(page.url(), /#\/services\/shop\/grafana$/);
  assert.equal(await page.title(), 'shop/grafana · Dynamic Toolset');
  await page.goBack();
  await row(page, 'shop/grafana').waitFor();
  assert.match(page.url(), /verdict=unavailable/, 'Back leads to the list as it was');
  assert.equal(await page.locator('.services tbody tr').count(), 2);
  await page.reload();
  await until('the link leads to the same', async () => (await page.locator('.services tbody tr').count()) === 2);
  await page.goto(`${fake.url}#/services/shop/gone`);
  await page.getByText('There is no such Service').waitFor();
  fake.services.push({...fake.find('shop', 'grafana'), name: 'gone'});
  fake.tell();
  await page.getByText('shop/gone is unavailable').waitFor(); // by itself
  await page.context().close(); // its 404 is an error of the console
});

const minute = (at) => new Date(at).toISOString().slice(11, 16);

against('HolmesGPT’s document is at the head, and its reasons at each toolset and Service', async (fake) => {
  fake.agent = failingAgent();
  const page = await visit(browser, `${fake.url}#/toolsets`);
  await live(page);
  const head = page.locator('#agent');
  const loaded = fake.agent.replicas[0].since;
  await head.getByText(`has this document since ${minute(loaded)}: 2 of 3 toolsets enabled`).waitFor();
  await head.getByText('0.45.0').waitFor();
  assert.equal(await head.getByText('GRAFANA_API_KEY does not exist').isVisible(), false, 'folded until somebody asks');
  await head.locator('summary').click();
  await head.getByText('GRAFANA_API_KEY does not exist').waitFor();
  await head.getByText('secretKeyRef').waitFor();
  await head.getByText('prometheus/metrics: payments/prometheus').waitFor();
  const list = page.locator('#toolsets-list');
  await list.getByText('HolmesGPT cannot use it: ENV var replacement GRAFANA_API_KEY does not exist').waitFor();
  await list.locator('li', {hasText: 'payments/prometheus'}).getByText('HolmesGPT cannot use it: Connection refused').first().waitFor();
  assert.equal(await list.getByText('Connection refused').count(), 1, 'at the one instance that fails');
  await accessible(page, 'agent');
  await narrow(page, 'agent');
  await picture(page, 'agent');
  await page.goto(`${fake.url}#/services`);
  await row(page, 'monitoring/kps-grafana').getByText('HolmesGPT cannot use grafana/dashboards: ENV var replacement GRAFANA_API_KEY').waitFor();
  await row(page, 'monitoring/kps-grafana').getByText('Give HolmesGPT’s container the variable').waitFor();
  await row(page, 'payments/prometheus').getByText('HolmesGPT cannot use it: Connection refused').waitFor();
  assert.equal(await page.locator('.services .agent-reason').count(), 2, 'nothing is said where HolmesGPT can use it, or gets nothing');
  await accessible(page, 'agent services');
  await picture(page, 'agent-services');
  for (const [scheme, viewport] of [['dark', phone], ['light', small]]) {
    const other = await visit(browser, `${fake.url}#/services`, {viewport, scheme});
    await live(other);
    await other.locator('#agent summary').click();
    await row(other, 'payments/prometheus').getByText('Connection refused').waitFor();
    await accessible(other, `agent ${scheme}`);
    await narrow(other, `agent ${scheme}`);
    await picture(other, `agent-${scheme}`);
    await other.leave();
  }

  // What changes in HolmesGPT is shown by itself, in the view too.
  const early = new Date(Date.now() - 23 * 60_000).toISOString();
  const waiting = {outcome: 'waiting', message: 'has an older document', toolsets: [], since: early, published_at: early};
  fake.agent = agentOf(waiting);
  await head.getByText(`has the document from ${minute(early)}: waiting for its mount`).waitFor({timeout: 8000});
  await until('the rows say nothing more', async () => (await page.locator('.services .agent-reason').count()) === 0);
  fake.agent = agentOf({...waiting, late: true, advice: [{text: 'Its mount does not change.'}]});
  await head.getByText(`still has the document from ${minute(early)}, and does not get the new one`).waitFor({timeout: 8000});
  fake.agent = agentOf({...waiting, published_at: null});
  await head.getByText('has an older document').waitFor({timeout: 8000});
  fake.agent = {asked: true, generation: 'generation/3f9a1c00', message: 'no HolmesGPT was found in the ConfigMap’s namespace', replicas: []};
  await head.getByText('No HolmesGPT was found in the ConfigMap’s namespace').waitFor({timeout: 8000});
  fake.agent = {asked: false, generation: '', message: 'HolmesGPT is not asked', replicas: []};
  await head.waitFor({state: 'hidden', timeout: 8000});
  await page.leave();
});

against('search and filters ask the server', async (fake) => {
  const page = await visit(browser, fake.url);
  await live(page);
  await page.keyboard.press('/');
  await page.keyboard.type('prometheus', {delay: 20});
  await until('the rows that fit', async () => (await page.locator('.services tbody tr').count()) === 5);
  assert.ok(fake.requests.filter((r) => r.includes('search=')).length <= 3, 'not one request for each key');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'prometheus');
  await page.getByLabel('Namespace', {exact: true}).fill('payments');
  await page.keyboard.press('Enter');
  await until('one row', async () => (await page.locator('.services tbody tr').count()) === 1);
  await page.getByRole('button', {name: 'Clear filters'}).click();
  await until('all rows', async () => (await page.locator('.services tbody tr').count()) === 14);
  await page.locator('#f-type').selectOption('grafana');
  await until('two rows', async () => (await page.locator('.services tbody tr').count()) === 2);
  await page.locator('#f-healthy').selectOption('false');
  await until('one row', async () => (await page.locator('.services tbody tr').count()) === 1);
  await page.getByRole('button', {name: /Rejected/}).click();
  await page.getByText('No Service fits').waitFor();
  await page.leave();
});

against('all can be done with the keyboard alone', async (fake) => {
  const page = await visit(browser, fake.url);
  await live(page);
  await row(page, 'shop/grafana').waitFor();
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.innerText || document.activeElement.tagName);
  const visible = () => page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  const stops = [];
  for (let i = 0; i < 25; i++) {
    await page.keyboard.press('Tab');
    stops.push(await focused());
    assert.ok(await visible(), `the focus is seen on ${stops.at(-1)}`);
  }
  for (const want of ['Dynamic Toolset', 'discover', 'Services', 'Toolsets', 'Document', 'Changes', '7 Accepted', 'f-search', 'f-type', 'f-namespace', 'f-healthy', 'logging/logs-es-http']) {
    assert.ok(stops.some((s) => s.replaceAll('\n', ' ').includes(want)), `Tab reaches ${want}: ${stops.join(', ')}`);
  }
  await page.getByRole('link', {name: 'logging/logs-es-http', exact: true}).focus();
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'logging/loki-gateway');
  await page.keyboard.press('Enter');
  await page.getByText('logging/loki-gateway is accepted').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'the focus comes along');
  await page.keyboard.press('Escape');
  await row(page, 'logging/loki-gateway').waitFor();
  await until('the focus is back in its row', async () => (await focused()) === 'logging/loki-gateway');
  await page.goto(`${fake.url}#/changes`);
  await page.keyboard.press('/');
  await page.keyboard.type('tempo');
  await row(page, 'tracing/tempo').waitFor();
  await until('one row', async () => (await page.locator('.services tbody tr').count()) === 1);
  await page.goto(`${fake.url}#/changes`);
  await page.locator('#view-changes').waitFor();
  await page.evaluate(() => { // as fast as nobody types
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}));
    document.execCommand('insertText', false, 'grafana');
  });
  await until('what is typed right after / is looked for', async () => {
    const rows = await page.locator('.services tbody tr').allInnerTexts();
    return rows.length > 0 && rows.every((t) => t.includes('grafana'));
  });
  await page.waitForTimeout(300);
  assert.equal(await page.locator('#f-search').inputValue(), 'grafana');
  await page.getByRole('button', {name: 'Discover now'}).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Discovered: 7 backends for HolmesGPT.').waitFor();
  await page.goto(`${fake.url}#/toolsets`);
  await page.getByText('19,100 tokens').waitFor();
  await page.getByText('tokens 2,500').first().waitFor();
  await page.getByText('tokens not known').waitFor();
  await page.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('details pre').first().waitFor();
  await page.leave();
});

against('why a backend has no link is on its page', async (fake) => {
  const page = await visit(browser, `${fake.url}#/services/shop/grafana`);
  await page.getByText('Ingress shop/grafana, grafana.example.com: links from this namespace must not lead to that host').waitFor();
  await page.goto(`${fake.url}#/services/monitoring/kps-grafana`);
  await page.locator('.facts').getByText('https://grafana.example.com').waitFor();
  assert.equal(await page.getByText('No link').count(), 0);
  await page.leave();
});

against('a backend that goes and comes is seen at once, and nothing jumps', async (fake) => {
  const page = await visit(browser, fake.url, {viewport: {width: 1280, height: 500}});
  await live(page);
  await row(page, 'payments/prometheus').waitFor();
  await page.getByRole('link', {name: 'tracing/simplest-query', exact: true}).focus();
  await page.evaluate(() => {
    window.marked = document.activeElement;
    window.marked.scrollIntoView({block: 'center'});
    const cell = document.activeElement.closest('tr').querySelector('.c-reason').firstChild;
    window.getSelection().setBaseAndExtent(cell, 0, cell, 10);
  });
  const typed = page.getByRole('searchbox');
  const before = Date.now();
  fake.flap('payments', 'prometheus', false);
  await row(page, 'payments/prometheus').getByText('Unavailable').waitFor();
  assert.ok(Date.now() - before < 3000, 'soon');
  await page.getByRole('button', {name: '6 Accepted'}).waitFor();
  await page.getByRole('button', {name: '3 Unavailable'}).waitFor();
  assert.ok(await page.evaluate(() => document.activeElement === window.marked), 'the focus stays');
  assert.equal(await page.evaluate(() => String(window.getSelection())), 'recognised', 'a selection stays');
  await until('it is told to those who listen', async () => /Withdrawn payments\/prometheus/.test(await page.locator('#announce').textContent()));
  await page.waitForTimeout(1100);
  const top = await page.evaluate(() => window.marked.getBoundingClientRect().top);
  await typed.focus();
  await page.keyboard.type('p');
  fake.flap('payments', 'prometheus', true);
  await page.keyboard.type('ro');
  await row(page, 'payments/prometheus').getByText('Accepted').waitFor();
  await page.keyboard.type('m');
  assert.equal(await typed.inputValue(), 'prom', 'what is typed stays');
  assert.ok(top > 0 && top < 500, 'what was focused is still in sight');

  await page.goto(`${fake.url}#/services/payments/prometheus`);
  await page.getByText('payments/prometheus is accepted').waitFor();
  fake.flap('payments', 'prometheus', false);
  await page.getByText('payments/prometheus is unavailable').waitFor();
  await page.locator('.side .timeline').getByText('Withdrawn').first().waitFor();

  await page.goto(`${fake.url}#/changes`);
  const entries = page.locator('#changes-list .timeline li');
  await entries.first().getByText('payments/prometheus').waitFor();
  fake.tell({kind: 'published', message: 'five keys'});
  await entries.first().getByText('five keys').waitFor();

  await page.goto(`${fake.url}#/toolsets`);
  await page.getByText('grafana/dashboards').first().waitFor();
  await page.locator('summary', {hasText: 'Configuration'}).first().click();
  fake.flap('payments', 'prometheus', true);
  await page.getByRole('link', {name: 'payments/prometheus'}).waitFor();
  assert.equal(await page.locator('details[open]').count(), 1, 'what was opened stays open');

  await page.goto(`${fake.url}#/document`);
  await page.locator('#document-body .code').getByText('payments/prometheus').first().waitFor();
  fake.flap('payments', 'prometheus', false);
  await until('the document follows', async () => !(await page.locator('#document-body .code').textContent()).includes('payments/prometheus'));
  await page.leave();
});

against('a burst of changes is one announcement and few requests', async (fake) => {
  const page = await visit(browser, fake.url);
  await live(page);
  await row(page, 'payments/prometheus').waitFor();
  await page.waitForTimeout(1200);
  fake.requests.length = 0;
  for (let i = 0; i < 41; i++) fake.flap('payments', 'prometheus', i % 2 === 1);
  await until('told', async () => /^41 changes\. The last: Withdrawn/.test(await page.locator('#announce').textContent()));
  await row(page, 'payments/prometheus').getByText('Unavailable').waitFor();
  assert.ok(fake.requests.length <= 4, `${fake.requests.length} requests: ${fake.requests}`);
  await page.leave();
});

against('ten thousand Services', async (fake) => {
  fake.services = large();
  const begin = Date.now();
  const page = await visit(browser, fake.url);
  await page.locator('.services tbody tr').first().waitFor();
  const first = Date.now() - begin;
  const size = () => page.evaluate(() => document.querySelectorAll('*').length);
  assert.equal(await page.locator('.services tbody tr').count(), 100);
  assert.ok(first < 8000, `the first rows took ${first} ms`);
  const elements = await size();
  assert.ok(elements < 3000, `${elements} elements`);
  await page.getByText('1 to 100 of 10,000').waitFor();
  for (let i = 1; i <= 5; i++) {
    await page.getByRole('button', {name: 'Next'}).click();
    await page.getByText(`${i}01 to ${i + 1}00 of 10,000`).waitFor();
  }
  assert.ok(await size() < 3000, 'it does not grow with the pages');
  await page.getByRole('button', {name: 'Previous'}).click();
  await page.getByText('401 to 500 of 10,000').waitFor();
  fake.tell(); // a refresh shows the same page
  await page.waitForTimeout(1500);
  await page.getByText('401 to 500 of 10,000').waitFor();
  const searched = Date.now();
  await page.getByRole('searchbox').fill('service-07777');
  await row(page, 'team-27/service-07777').waitFor();
  await until('one row', async () => (await page.locator('.services tbody tr').count()) === 1);
  console.log(`# 10,000 Services: first rows after ${first} ms, ${elements} elements, a search takes ${Date.now() - searched} ms`);
  await picture(page, 'large-desktop');
  await accessible(page, 'large');
  await page.leave();
});

against('a token is asked for, kept in memory alone, and asked for again', async (fake) => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.secret-token-of-a-person.sig';
  fake.tokens = new Set([token]);
  const page = await visit(browser, fake.url, {may: refused(401)});
  const dialog = page.getByRole('dialog');
  await dialog.getByText('kubectl -n NAMESPACE create token SERVICEACCOUNT --audience=dynamic-toolset').waitFor();
  await accessible(page, 'token');
  await picture(page, 'token-desktop');
  const field = dialog.getByRole('textbox', {name: 'Token'});
  assert.deepEqual([await field.getAttribute('type'), await field.getAttribute('autocomplete')], ['password', 'off']);
  assert.ok(await field.evaluate((e) => e === document.activeElement), 'one can type at once');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await dialog.getByText('This token is not accepted').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#services-list').getByText('A token is required').waitFor();
  const asked = fake.requests.length;
  await page.waitForTimeout(1500);
  assert.ok(fake.requests.length - asked < 8 && !(await dialog.isVisible()), 'who declined is left in peace');
  await page.locator('#services-list').getByRole('button', {name: 'Enter a token'}).click();
  await field.fill(`Bearer ${token} `);
  await page.keyboard.press('Enter');
  await live(page);
  await row(page, 'shop/grafana').waitFor();
  const places = await page.evaluate(async () => [location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state), JSON.stringify(await indexedDB.databases()), JSON.stringify(await caches?.keys()), document.documentElement.outerHTML, document.querySelector('#token').value].join('\n'));
  assert.ok(!places.includes('secret-token'), 'the token is nowhere to be found');
  assert.ok(fake.requests.every((r) => !r.includes('secret')), 'not in a URL either');
  fake.tokens = new Set(['another']); // revoked
  for (const s of fake.streams) s.end();
  await dialog.getByText('does not accept the token any more').waitFor({timeout: 20_000});
  await field.fill('another');
  await page.keyboard.press('Enter');
  await live(page);
  await page.getByRole('button', {name: 'Forget token'}).click();
  await dialog.waitFor();
  await page.leave();
});

against('a missing right is named, with the command that grants it', async (fake) => {
  const message = (what) => `not allowed: user "system:serviceaccount:ops:viewer" may not ${what} of the API group toolset.kubernaut.io in the namespace kubernaut-system; a Role there allows it`;
  fake.forbidden = (path) => (path.startsWith('/api/v1/services') ? message('list services') : path.endsWith('/discover') ? message('create discoveries') : '');
  const page = await visit(browser, fake.url, {may: refused(403)});
  await page.getByText('may not list services').waitFor();
  const command = await page.locator('main pre').textContent();
  for (const want of ['kubectl apply', 'namespace: kubernaut-system', '{kind: ServiceAccount, namespace: ops, name: viewer}', 'toolset.kubernaut.io', 'watch']) assert.ok(command.includes(want), want);
  await accessible(page, 'forbidden');
  await narrow(page, 'forbidden');
  await picture(page, 'forbidden-desktop');
  await live(page); // the rest works
  await page.getByRole('button', {name: 'Discover now'}).click();
  await page.getByText('may not create discoveries').waitFor();
  await page.goto(`${fake.url}#/toolsets`);
  await page.getByText('grafana/dashboards').first().waitFor();
  await page.leave();
});

against('before the first discovery the page waits, and goes on by itself', async (fake) => {
  fake.starting = true;
  const page = await visit(browser, fake.url, {may: refused(503)});
  await page.locator('#services-list').getByText('The first discovery is not over yet.').waitFor();
  await page.getByText('Waiting…').waitFor();
  await accessible(page, 'starting');
  await picture(page, 'starting-desktop');
  const all = fake.services;
  fake.services = [];
  fake.starting = false;
  await page.getByText('No Services yet').waitFor();
  await accessible(page, 'empty');
  await picture(page, 'empty-desktop');
  fake.services = all;
  fake.tell();
  await live(page);
  await row(page, 'shop/grafana').waitFor();
  await page.leave();
});

against('when the service goes, what is shown stays and is marked old, until it is back', async (fake) => {
  const page = await visit(browser, fake.url, {may: away});
  await live(page);
  await row(page, 'shop/grafana').waitFor();
  const port = fake.port;
  await fake.stop();
  await page.getByText('The service does not answer. This page shows the state at').waitFor();
  await page.getByText('Reconnecting…').waitFor();
  assert.equal(await page.locator('.services tbody tr').count(), 14, 'what was shown stays');
  await accessible(page, 'lost');
  await picture(page, 'lost-desktop');
  const back = new Fake();
  back.services = back.services.slice(0, 9);
  back.changes = back.changes.slice(0, 2); // a new process counts from 1
  await back.start(port);
  await live(page);
  await until('it is up to date', async () => (await page.locator('.services tbody tr').count()) === 9);
  await page.getByText('The service does not answer').waitFor({state: 'hidden'});
  await page.goto(`${back.url}#/changes`);
  await until('the changes too', async () => (await page.locator('#changes-list .timeline li').count()) === 2);
  back.failing = true; // a proxy that answers while what is behind it does not
  for (const s of back.sockets) s.destroy();
  await page.getByText('Reconnecting…').waitFor();
  back.failing = false;
  await live(page);
  await page.verify();
  await page.context().setOffline(true);
  for (const s of back.sockets) s.destroy();
  await page.getByText('Reconnecting…').waitFor();
  await page.context().setOffline(false);
  await live(page);
  await page.leave();
  await back.stop();
});

against('a hidden tab takes no connection, and is up to date when it is seen again', async (fake) => {
  const page = await visit(browser, fake.url);
  await live(page);
  await row(page, 'shop/grafana').waitFor();
  const hide = (hidden) => page.evaluate((to) => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => to});
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await hide(true);
  await until('no stream', async () => fake.streams.size === 0);
  fake.flap('monitoring', 'kps-grafana', false);
  await hide(false);
  await row(page, 'monitoring/kps-grafana').getByText('Unavailable').waitFor();
  await until('a stream', async () => fake.streams.size === 1);
  await live(page);
  assert.equal(await page.locator('#note').isVisible(), false, 'nothing is said to be lost');
  await page.leave();
});

against('each tenant of a gateway is shown, however often', async (fake) => {
  const gateway = fake.find('monitoring', 'kps-grafana');
  fake.services = ['application', 'audit'].map((tenant) => ({...gateway, type: 'loki', instance: `monitoring/kps-grafana/${tenant}`, reason: tenant}));
  const page = await visit(browser, fake.url);
  await live(page);
  for (let i = 0; i < 2; i++) {
    for (const tenant of ['application', 'audit']) await page.locator('.services .c-reason').getByText(tenant).waitFor();
    fake.services.forEach((s) => { s.reason += ` ${i}`; });
    fake.tell();
    await until('they are read again', async () => (await page.locator('.services .c-reason').allTextContents()).every((t) => t.endsWith(` ${i}`)));
    assert.equal(await page.locator('.services tbody tr').count(), 2);
  }
  await page.leave();
});

against('Discover now tells what came of it', async (fake) => {
  fake.leader = false;
  const page = await visit(browser, fake.url, {may: refused(429)});
  await live(page);
  await page.getByText('Follower').waitFor();
  await page.getByRole('button', {name: 'Discover now'}).click();
  await page.getByText('Discovered: 7 backends for HolmesGPT. The leader writes the document, not this replica.').waitFor();
  await page.getByRole('button', {name: 'Discover now'}).click();
  await page.getByText('A discovery ran just now. Try again in 1 second.').waitFor();
  await page.leave();
});

against('where people reach a backend opens beside this page', async (fake) => {
  const page = await visit(browser, fake.url, {viewport: desktop});
  await live(page);
  for (const [hash, name] of [['#/services', 'open monitoring/kps-grafana'], ['#/services/monitoring/kps-grafana', 'open'], ['#/toolsets', 'open monitoring/kps-grafana']]) {
    await page.goto(fake.url + hash);
    const link = page.locator('main').getByRole('link', {name, exact: true});
    await link.waitFor();
    assert.equal(await link.getAttribute('href'), 'https://grafana.example.com', hash);
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer', hash);
    assert.equal(await page.locator('main a.open:visible').count(), 1, hash);
    await accessible(page, `links ${hash}`);
    await picture(page, `links-${hash.replaceAll(/\W+/g, '-')}`);
  }
  await page.context().close();
});

against('texts that strangers choose stay texts', async (fake) => {
  fake.services = hostile();
  fake.problems = [{kind: 'warning', message: attack}, {kind: attack, message: attack}];
  fake.frozen = [attack];
  fake.changes = [{seq: 1, at: new Date().toISOString(), kind: attack, namespace: 'sandbox', service: 'evil', type: attack, message: attack}];
  Object.assign(fake.document, {target: attack, error: attack, keys: {[attack]: attack, 'custom_toolset.yaml': `${attack}: ${attack}\n# ${attack}`}, replaced: {'custom_toolset.yaml': attack}, overrides: {text: attack, valid: false, error: attack, line: 1, column: 1}, variables: [{name: attack, toolset: attack, instance: attack, field: attack}], warnings: [attack]});
  const page = await visit(browser, fake.url, {viewport: small});
  await live(page);
  for (const hash of ['#/services', '#/services/sandbox/evil', '#/toolsets', '#/document', '#/document/custom_toolset.yaml?show=replaced', '#/document/overrides.yaml', `#/document/${encodeURIComponent(attack)}`, '#/changes', `#/changes?kind=${encodeURIComponent(attack)}`, `#/services?search=${encodeURIComponent(attack)}&type=${encodeURIComponent(attack)}`, '#/%E0%A4%A', '#/services/%E0%A4%A/x']) {
    await page.goto(fake.url + hash);
    await page.waitForTimeout(250);
    assert.equal(await page.evaluate(() => document.querySelectorAll('main img, main script, a[href^="javascript:"]').length), 0, hash);
    await narrow(page, hash);
  }
  fake.tell({kind: 'added', namespace: 'sandbox', service: 'evil', type: attack, message: attack});
  await until('it is announced', async () => (await page.locator('#announce').textContent()).includes('<img src=x'));
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await page.goto(`${fake.url}#/services`);
  const seen = (await page.evaluate(() => window.violations));
  assert.deepEqual(seen, []);
  await page.context().close(); // the made-up paths are 404, which the console notes
});

against('a document of 900 KiB, changed in many places, does not hang', async (fake) => {
  const text = Array.from({length: 22_500}, (_, i) => `  - name: team-${i}/prometheus-server-number`).join('\n');
  assert.ok(text.length > 900 * 1024);
  fake.document.keys['custom_toolset.yaml'] = text;
  fake.document.replaced['custom_toolset.yaml'] = text.replaceAll('7/prom', '7/PROM');
  const page = await visit(browser, fake.url, {hash: '#/document'});
  const begin = Date.now();
  await page.locator('pre.whole').waitFor();
  const whole = Date.now() - begin;
  await page.getByRole('link', {name: 'Last change'}).click();
  await page.getByText('2,250 lines added, 2,250 removed').waitFor();
  const compared = Date.now() - begin - whole;
  assert.ok(await page.locator('.diff .l').count() <= 2001);
  await page.getByText('too many to show').waitFor();
  assert.ok(whole < 5000 && compared < 5000, `${whole} ms to show, ${compared} ms to compare`);
  console.log(`# 900 KiB: shown after ${whole} ms, compared after ${compared} ms`);
  await page.leave();
});

against('the page works below a path, as behind kubectl proxy', async (fake) => {
  const serve = fake.answer.bind(fake);
  fake.answer = (request, response) => {
    if (!request.url.startsWith('/below/proxy/')) return response.writeHead(404).end();
    request.url = request.url.slice('/below/proxy'.length);
    return serve(request, response);
  };
  const page = await visit(browser, `${fake.url}below/proxy/`);
  await live(page);
  await row(page, 'shop/grafana').click();
  await page.getByText('What you can do').waitFor();
  await page.leave();
});

against('a command is copied with one click', async (fake) => {
  const page = await visit(browser, fake.url, {hash: '#/services/shop/grafana', permissions: ['clipboard-read', 'clipboard-write']});
  const command = 'kubectl -n shop annotate service grafana kubernaut.io/toolset-port=PORT kubernaut.io/toolset-path=/PATH';
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.clock.install(); // a slow machine must not miss the word, which stands there for two seconds
  await page.getByRole('button', {name: 'Copy the command'}).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await clipboard(), command);
  await page.evaluate(() => navigator.clipboard.writeText('something else'));
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not over plain HTTP')); });
  await page.clock.runFor(2000);
  await page.getByText('Copied').waitFor({state: 'hidden'});
  await page.getByRole('button', {name: 'Copy the command'}).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await clipboard(), command, 'where the newer way is not to be had');
  await page.leave();
});

against('without JavaScript the page says so', async (fake) => {
  const page = await visit(browser, fake.url, {javaScriptEnabled: false});
  await page.locator('css=noscript >> css=p').waitFor();
  await page.context().close();
});
