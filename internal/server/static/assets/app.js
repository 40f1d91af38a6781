// The page: it chooses the view and keeps it up to date. All data comes from the API of the same origin.
import {get, post, abandoned, onTokenWanted, wantToken, hasToken, forgetToken} from './api.js';
import {copy} from './clipboard.js';
import {byId} from './dom.js';
import {ago, plural, sentence} from './format.js';
import {follow} from './live.js';
import {askForToken} from './token.js';
import * as top from './top.js';
import * as agent from './agent.js';
import * as services from './services.js';
import * as detail from './detail.js';
import * as toolsets from './toolsets.js';
import * as doc from './document.js';
import * as changes from './changes.js';

const pause = 1000; // milliseconds between two refreshes of a view

let view = ''; // services, service, toolsets, document, changes
let listHash = '#/services';
let listScroll = 0;
let lastGood = 0; // time of the last response, in milliseconds
let revision = null; // of the shown document
let hurry = () => {};

// ---- Routes

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...rest] = path.split('/').map(decode);
  const parameters = new URLSearchParams(query ?? '');
  if (name === 'services' && rest.length >= 2) return {view: 'service', namespace: rest[0], name: rest[1]};
  if (name === 'toolsets' || name === 'changes') return {view: name, parameters};
  if (name === 'document') return {view: name, key: rest[0] ?? '', parameters};
  return {view: 'services', parameters};
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function open() {
  const to = route();
  const from = view;
  if (from === 'services' && to.view !== 'services') listScroll = window.scrollY;
  view = to.view;
  for (const name of ['services', 'service', 'toolsets', 'document', 'changes']) byId(`view-${name}`).hidden = name !== view;
  for (const tab of document.querySelectorAll('[data-tab]')) {
    const own = tab.dataset.tab === view || (tab.dataset.tab === 'services' && view === 'service');
    if (own) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  let title = {services: 'Services', toolsets: 'Toolsets', document: 'Document', changes: 'Changes'}[view];
  let ready = null;
  switch (view) {
    case 'services':
      listHash = location.hash || '#/services';
      ready = services.open(to.parameters);
      break;
    case 'service':
      ready = detail.open(to.namespace, to.name, listHash);
      detail.changes(changes.all());
      title = detail.title();
      break;
    case 'toolsets': ready = toolsets.refresh(); break;
    case 'document': ready = doc.open(to.key, to.parameters); break;
    default: changes.open(to.parameters);
  }
  document.title = `${title} · Dynamic Toolset`;
  if (from && from !== view) arrive(from);
  ready?.catch(failed);
}

// Moves the focus to the place where the user continues to read.
function arrive(from) {
  if (view === 'services' && from === 'service') {
    window.scrollTo(0, listScroll);
    const link = [...byId('services-list').querySelectorAll('tbody a')].find((a) => a.closest('tr').dataset.href === left);
    if (link) {
      link.focus({preventScroll: true});
      return;
    }
  } else if (view !== 'service') window.scrollTo(0, 0);
  byId(`view-${view}`).querySelector('h1')?.focus({preventScroll: true});
}

let left = ''; // the hash of the last shown Service
let opened = ''; // the address of a view that opened before its event

window.addEventListener('hashchange', (event) => {
  if (event.newURL === opened) { // opening it again would lose the typed text
    opened = '';
    return;
  }
  if (view === 'service') left = new URL(event.oldURL).hash;
  open();
});

// ---- Refresh

async function refreshStatus() {
  applyStatus(await get('api/v1/status'));
}

function applyStatus(s) {
  lastGood = Date.now();
  top.status(s);
  services.status(s);
  if (view === 'document' && revision === s.revision) return false;
  revision = s.revision;
  return true;
}

const refreshView = () => ({services: services.refresh, service: detail.refresh, toolsets: toolsets.refresh, document: doc.refresh}[view]?.());

let wanted = false;
let refreshing = false;
let everything = false;

/** Reads the view again, at most once in a pause; with all, also the status, the changes and HolmesGPT. */
async function refresh(all = false) {
  wanted = true;
  everything ||= all;
  if (refreshing || document.hidden) return;
  refreshing = true;
  try {
    while (wanted && !document.hidden) {
      wanted = false;
      const whole = everything;
      everything = false;
      const results = await Promise.allSettled([whole && refreshStatus(), whole && loadChanges(), whole && agent.refresh(), refreshView()]);
      const bad = results.find((r) => r.status === 'rejected' && !abandoned(r.reason));
      if (bad) failed(bad.reason);
      else lastGood = Date.now();
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  } finally {
    refreshing = false;
  }
}

async function refreshAgent() {
  if (await agent.refresh()) void refresh(); // the views show it too
}

async function loadChanges() {
  await changes.load();
  detail.changes(changes.all());
}

let live = false;

function failed(error) {
  if (!error || abandoned(error)) return;
  if (error.status === 401) top.connection('refused', 0);
  else if (error.status === 403) top.connection(live ? 'live' : 'refused', 0); // the view shows the missing right
  else if (error.status === 503) top.connection('waiting', lastGood);
  else if (error.status === 0 || error.status === undefined) top.connection('lost', lastGood);
  else if (live) top.note('action', `The request failed. ${sentence(error.message)}`, 15);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  hurry();
  if (wanted) void refresh();
});
window.addEventListener('online', () => hurry());

// Screen readers get the changes of a short time in one message.
let news = [];
let newsTimer = 0;

function announce(change) {
  news.push(changes.sentence(change));
  clearTimeout(newsTimer);
  newsTimer = setTimeout(() => {
    byId('announce').textContent = news.length === 1 ? news[0] : `${plural(news.length, 'change')}. The last: ${news.at(-1)}`;
    news = [];
  }, 700);
}

// ---- Actions

const actions = {
  ...services.actions, ...toolsets.actions, ...changes.actions,
  copy: (button) => copy(button.parentElement.querySelector('code').textContent, button),
  'copy-key': (button) => doc.actions['copy-key'](button, copy),
  token: () => wantToken().then(again, () => {}),
  forget() {
    forgetToken();
    location.reload();
  },
  discover,
};

async function discover(button) {
  if (button.dataset.running === 'true') return;
  button.dataset.running = 'true';
  button.setAttribute('aria-busy', 'true');
  byId('discover-text').textContent = 'Discovering…';
  try {
    const answer = await post('api/v1/discover');
    top.note('action', `${answer.status === 'running' ? 'The discovery still runs. So far' : 'Discovered'}: ${plural(answer.count, 'backend')} for HolmesGPT.${answer.leader === false ? ' The leader writes the document, not this replica.' : ''}`, 8);
  } catch (error) {
    if (abandoned(error)) return;
    const tooSoon = `A discovery ran just now. Try again in ${plural(Math.max(1, error.retryAfter), 'second')}.`;
    top.note('action', error.status === 429 ? tooSoon : `The discovery failed. ${sentence(error.message)}`, 15);
  } finally {
    button.dataset.running = '';
    button.removeAttribute('aria-busy');
    byId('discover-text').textContent = 'Discover now';
    void refresh(true);
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (button) {
    actions[button.dataset.do]?.(button);
    return;
  }
  if (event.target.closest('a.skip')) {
    event.preventDefault();
    byId('main').focus();
    return;
  }
  // A click anywhere in a row opens its Service, unless the user selects text.
  const row = event.target.closest('tr[data-href]');
  if (row && !event.target.closest('a, button') && String(window.getSelection()) === '') location.hash = row.dataset.href;
});

document.addEventListener('keydown', (event) => {
  if (byId('token-dialog').open || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.('input, select, textarea');
  if (event.key === '/' && !typing) {
    event.preventDefault();
    if (view !== 'services') {
      location.hash = listHash;
      opened = location.href;
      open(); // now, so that the focus can go to the field
    }
    byId('f-search').focus();
    byId('f-search').select();
  } else if (event.key === 'Escape' && view === 'service' && !typing) {
    location.hash = listHash;
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && event.target.closest?.('.services tbody')) {
    const row = event.target.closest('tr');
    const next = event.key === 'ArrowDown' ? row.nextElementSibling : row.previousElementSibling;
    if (next) {
      event.preventDefault();
      next.querySelector('a').focus();
    }
  }
});

// ---- Start

function again() {
  byId('forget').hidden = !hasToken();
  hurry();
  return refresh(true);
}

onTokenWanted(async (error, had) => {
  const token = await askForToken(error, had);
  setTimeout(again);
  return token;
});
history.scrollRestoration = 'manual';
services.start();
open();
refreshStatus().catch(failed);
loadChanges().catch(failed);
refreshAgent().catch(failed);
hurry = follow({
  open() {
    live = true;
    top.connection('live', 0);
    byId('forget').hidden = !hasToken();
    void refresh(true);
  },
  status(s) {
    if (applyStatus(s)) void refresh();
  },
  change(c) {
    if (!changes.add(c)) return;
    if (view === 'changes') changes.render();
    detail.changes(changes.all());
    announce(c);
  },
  lost(error) {
    live = false;
    if (error?.status === 403) {
      const said = byId('main').querySelector('[data-key=forbidden]');
      top.connection('refused', 0, said ? '' : `This page is not live; it can be some seconds old. ${sentence(error.message)}`);
    }
    else if (error) failed(error);
    else top.connection('lost', lastGood);
    void refresh(true);
  },
});
setInterval(() => { // HolmesGPT's state changes without an event in the stream
  if (live && !document.hidden) refreshAgent().catch(failed);
}, 5000);
setInterval(() => {
  for (const time of document.querySelectorAll('time[data-ago]')) {
    const text = ago(Number(time.dataset.ago));
    if (time.textContent !== text) time.textContent = text;
  }
}, 5000);
