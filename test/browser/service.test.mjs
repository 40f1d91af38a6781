// The page of the real program, as it runs without a cluster on stand-ins of backends: that the two fit together.
import {after, before, test} from 'node:test';
import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import {launch, visit, accessible, narrow, picture, phone} from './browser.mjs';

const url = process.env.SERVICE_URL;
const setReady = (name, ready) => fetch(`${process.env.CONTROL_URL}?name=${name}&ready=${ready}`);
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const row = (page, name) => page.locator('.services tbody tr', {has: page.getByRole('link', {name, exact: true})});
const may = (text) => /status of (503|429)/.test(text); // before the first discovery, and too soon after one
const arrive = async (options) => {
  for (const end = Date.now() + 30_000; ; await new Promise((resolve) => { setTimeout(resolve, 100); })) {
    if (await fetch(url).then((r) => r.ok, () => false)) break;
    assert.ok(Date.now() < end, 'the page is there');
  }
  const page = await visit(browser, url, {may, ...options});
  await page.getByText('Live', {exact: true}).waitFor({timeout: 20_000});
  return page;
};

test('what was found, how healthy it is, what was rejected and why', {timeout: 60_000}, async () => {
  const page = await arrive();
  await row(page, 'monitoring/prometheus-server').getByText('3.5.0').waitFor();
  await row(page, 'monitoring/prometheus-server').getByText('healthy').waitFor();
  await row(page, 'monitoring/prometheus-pushgateway').getByText('it is a Pushgateway').waitFor();
  await row(page, 'team/web').locator('.v-rejected').waitFor();
  await page.getByText('Standalone').waitFor();
  await page.getByText('4 Services, 2 backends for HolmesGPT').waitFor();
  await accessible(page, 'list');
  await page.getByRole('button', {name: /Rejected/}).click();
  await row(page, 'monitoring/prometheus-server').waitFor({state: 'hidden'});
  await page.getByRole('button', {name: /All/}).click();
  await page.getByRole('searchbox').fill('grafana');
  await row(page, 'team/web').waitFor({state: 'hidden'});
  await row(page, 'shop/grafana').click();
  for (const text of ['shop/grafana is accepted as grafana', 'What you can do', 'Requests of the probe', '/api/health', 'Types that were compared', 'strong evidence']) await page.locator('main').getByText(text).first().waitFor();
  await accessible(page, 'detail');
  await page.leave();
});

test('a backend goes and comes', {timeout: 90_000}, async () => {
  const page = await arrive();
  await row(page, 'shop/grafana').locator('.v-accepted').waitFor();
  await setReady('grafana', false);
  await row(page, 'shop/grafana').locator('.v-unavailable').waitFor({timeout: 20_000});
  await page.getByRole('button', {name: '1 Accepted'}).waitFor();
  await page.goto(`${url}#/document/custom_toolset.yaml?show=replaced`);
  await page.locator('.diff .old').getByText('grafana').first().waitFor();
  await page.goto(`${url}#/changes`);
  await page.locator('#changes-list .timeline li', {hasText: 'Withdrawn shop/grafana'}).waitFor();
  await setReady('grafana', true);
  await page.goto(`${url}#/toolsets`);
  await page.getByRole('link', {name: 'shop/grafana'}).waitFor({timeout: 20_000});
  await page.leave();
});

test('overrides that are wrong are shown with their line', {timeout: 60_000}, async () => {
  const page = await arrive({viewport: phone, scheme: 'dark'});
  await writeFile(`${process.env.OUT_DIR}/overrides.yaml`, 'toolsets:\n  kubernetes/core: {enabled: true}\n  kubernetes/logs: [wrong\n');
  await page.getByText('The overrides are not valid').click({timeout: 15_000});
  await page.getByRole('link', {name: 'Show the line'}).click();
  await page.locator('.marked').waitFor();
  await accessible(page, 'overrides');
  await narrow(page, 'overrides');
  await picture(page, 'service-overrides-phone');
  await writeFile(`${process.env.OUT_DIR}/overrides.yaml`, 'toolsets:\n  kubernetes/logs: null\n');
  await page.getByText('The overrides are not valid').waitFor({state: 'hidden', timeout: 15_000});
  await page.goto(`${url}#/toolsets`);
  await page.getByText('kubernetes/core').first().waitFor();
  await page.getByText('kubernetes/logs').waitFor({state: 'hidden'});
  await page.leave();
});

test('Discover now', {timeout: 60_000}, async () => {
  const page = await arrive();
  await page.getByRole('button', {name: 'Discover now'}).click();
  await page.getByText('Discovered: 2 backends for HolmesGPT.').waitFor({timeout: 20_000});
  await page.leave();
});
