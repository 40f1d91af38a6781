// A Chromium for the tests, and what every page is watched for: errors, violations of its own policy, requests elsewhere.
import {mkdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import assert from 'node:assert/strict';
import axe from 'axe-core';
import {chromium} from 'playwright-core';

export const out = fileURLToPath(new URL('out/', import.meta.url));
mkdirSync(out, {recursive: true});

const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-gpu', '--disable-dev-shm-usage'];

export const launch = () => chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid?.() === 0 ? [...quiet, '--no-sandbox'] : quiet});

export const desktop = {width: 1280, height: 900};
export const phone = {width: 390, height: 844};
export const small = {width: 360, height: 740};

/**
 * Opens a page that is watched. may(text) says which messages of the console are expected, as of a request that was refused.
 * page.verify() fails with whatever was seen.
 */
export async function visit(browser, url, {viewport = desktop, scheme = 'light', hash = '', may = () => false, ...more} = {}) {
  const context = await browser.newContext({viewport, colorScheme: scheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', ...more});
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const seen = [];
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type()) && !may(m.text())) seen.push(`console: ${m.text()}`); });
  page.on('pageerror', (e) => seen.push(`error: ${e.stack ?? e}`));
  page.on('request', (r) => { if (new URL(r.url()).origin !== new URL(url).origin) seen.push(`request to ${r.url()}`); });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));
  });
  page.verify = async () => {
    for (const v of await page.evaluate(() => window.violations)) seen.push(`violation: ${v}`);
    assert.deepEqual(seen, []);
  };
  page.leave = async () => {
    await page.verify();
    await context.close();
  };
  await page.goto(url + hash);
  return page;
}

/** Fails with the accessibility faults of what is shown, if any is serious or critical. */
export async function accessible(page, name) {
  await page.evaluate(axe.source);
  const {violations, passes} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
  assert.ok(passes.length > 10, `${name}: axe looked at little: ${passes.length} rules passed`);
  const grave = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  assert.deepEqual(grave.map((v) => `${name}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target.join(' ')} (${n.any.map((a) => a.message).join('; ')})`).slice(0, 5).join(' | ')}`), []);
  return violations.map((v) => `${v.impact} ${v.id} ${v.nodes[0].target.join(' ')}`);
}

/** Fails if the page is wider than its window, and says which elements stick out. */
export async function narrow(page, name) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [`${document.documentElement.scrollWidth} > ${width}`, ...[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest('.hidden')).slice(0, 5).map((e) => `${e.tagName}.${e.className}`)];
  });
  assert.deepEqual(wide, [], `${name} is wider than its window`);
}

export const picture = (page, name, full = false) => page.screenshot({path: `${out}${name}.png`, fullPage: full});
