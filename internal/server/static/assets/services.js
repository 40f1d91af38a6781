// The list of Services: chips, filters, one page of rows at a time.
import {backendReason} from './agent.js';
import {h, icon, show, byId} from './dom.js';
import {verdicts, number, plural, health, serviceHash} from './format.js';
import {pages} from './pages.js';
import {pill, state, mono, openLink, panel} from './parts.js';

const filterNames = ['search', 'type', 'namespace', 'healthy', 'verdict'];

let filters = Object.fromEntries(filterNames.map((n) => [n, '']));
const list = pages({id: 'services-list', path: 'api/v1/services', names: 'Services', render});
const namespaces = new Set();
let timer = 0;

const keyOf = (f) => filterNames.map((n) => f[n] ?? '').join('\n');

/** The part of the URL for these filters. */
export function hashFor(f) {
  const query = new URLSearchParams(filterNames.filter((n) => f[n]).map((n) => [n, f[n]])).toString();
  return query ? `#/services?${query}` : '#/services';
}

/** Shows the list for the filters of the URL. */
export function open(query) {
  const wanted = Object.fromEntries(filterNames.map((n) => [n, query.get(n) ?? '']));
  if (keyOf(wanted) !== keyOf(filters)) {
    filters = wanted;
    list.first();
    window.scrollTo(0, 0);
  }
  byId('f-namespace').value = filters.namespace;
  if (byId('f-search').value.trim() !== filters.search) byId('f-search').value = filters.search;
  byId('f-healthy').value = filters.healthy;
  setType();
  return refresh();
}

/** Reads the page of the list again. */
export const refresh = () => list.refresh(filters);

/** Shows the counts and the types. */
export function status(s) {
  const counts = s.counts ?? {};
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0); // a Service with two types counts twice
  byId('services-lead').textContent = `${plural(s.services_total ?? all, 'Service')}, ${plural(counts.accepted ?? 0, 'backend')} for HolmesGPT`;
  show(byId('chips'), chip('', 'All', all), Object.entries(verdicts).map(([name, v]) => chip(name, v.word, counts[name] ?? 0, v.help)));
  const types = new Set(s.types ?? []);
  if (filters.type) types.add(filters.type);
  show(byId('f-type'), h('option', {value: ''}, 'any'), [...types].sort().map((t) => h('option', {value: t, 'data-key': t}, t)));
  setType();
}

function chip(name, word, count, help) {
  return h('button', {
    type: 'button', class: `chip v-${name || 'all'}${count === 0 ? ' zero' : ''}`, 'data-key': name || 'all', 'data-do': 'verdict', 'data-verdict': name,
    'aria-pressed': String((filters.verdict ?? '') === name), title: help,
  }, name && icon(name), h('span', {class: 'n'}, number(count)), ' ', h('span', null, word));
}

function setType() {
  const select = byId('f-type');
  if (filters.type && ![...select.options].some((o) => o.value === filters.type)) select.append(h('option', {value: filters.type, 'data-key': filters.type}, filters.type));
  select.value = filters.type ?? '';
  for (const c of byId('chips').children) c.setAttribute('aria-pressed', String(c.dataset.verdict === (filters.verdict ?? '')));
  byId('f-clear').hidden = !filterNames.some((n) => filters[n]);
}

function render({services, count}) {
  const seen = namespaces.size;
  for (const s of services) if (namespaces.size < 2000) namespaces.add(s.namespace);
  if (namespaces.size !== seen) show(byId('namespaces'), [...namespaces].sort().map((n) => h('option', {value: n, 'data-key': n})));
  if (services.length === 0) {
    const any = filterNames.some((n) => filters[n]);
    show(byId('services-list'), any
      ? panel('No Service fits', h('p', null, 'No Service matches all filters.'), h('p', {class: 'buttons'}, h('button', {type: 'button', 'data-do': 'clear'}, 'Clear filters')))
      : panel('No Services yet', h('p', null, 'There are no Services in the watched namespaces. New Services appear here by themselves.')));
    return;
  }
  show(byId('services-list'),
    h('table', {class: 'services', role: 'table', 'aria-label': 'Services', 'aria-rowcount': count},
      h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, ['Verdict', 'Service', 'Type', 'Health', 'Why'].map((t) => h('th', {role: 'columnheader', scope: 'col'}, t)))),
      h('tbody', {role: 'rowgroup'}, services.map(row))),
    list.pager(services.length, 'page'));
}

function row(s) {
  return h('tr', {role: 'row', 'data-key': `${s.namespace}/${s.name}/${s.type}/${s.instance}`, 'data-href': serviceHash(s.namespace, s.name)},
    h('td', {role: 'cell', class: 'c-verdict'}, pill(s.verdict)),
    h('td', {role: 'cell', class: 'c-name'}, h('a', {href: serviceHash(s.namespace, s.name)}, h('span', {class: 'ns'}, `${s.namespace}/`), h('wbr'), s.name), openLink(s, `${s.namespace}/${s.name}`), endpoint(s)),
    h('td', {role: 'cell', class: 'c-type'}, s.type || h('span', {class: 'muted none'}, 'no type'),
      s.primary && h('span', {class: 'tag', title: `The primary ${s.type}: HolmesGPT uses it by default`}, icon('star'), 'primary')),
    h('td', {role: 'cell', class: 'c-health'}, state(health(s)), s.metadata?.version && h('span', {class: 'muted version'}, s.metadata.version)),
    h('td', {role: 'cell', class: 'c-reason'}, s.reason, s.verdict === 'accepted' && backendReason((s.metadata?.toolset ?? '').split(','), s.instance)));
}

// Nearly every endpoint has the Service's own name as host. Other hosts stand out. Long names may break at dots.
function endpoint(s) {
  if (!s.endpoint) return null;
  const parts = /^(https?:\/\/)([^/:]+)(.*)$/.exec(s.endpoint);
  if (!parts) return mono(s.endpoint, 'endpoint');
  return h('code', {class: 'mono endpoint'}, parts[1], h('wbr'),
    h('span', {class: parts[2].startsWith(`${s.name}.${s.namespace}.svc`) ? 'own' : ''}, parts[2].split('.').map((label, i) => (i === 0 ? label : [h('wbr'), `.${label}`]))),
    h('wbr'), parts[3]);
}

function change(patch, replace = false) {
  const hash = hashFor({...filters, ...patch});
  if (hash === (location.hash || '#/services')) return;
  if (!replace) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, '', hash);
  void open(new URLSearchParams(hash.split('?')[1] ?? '')).catch(() => {});
}

/** What the buttons of this view do. */
export const actions = {
  verdict: (button) => change({verdict: button.dataset.verdict === filters.verdict ? '' : button.dataset.verdict}),
  clear() {
    byId('f-search').value = '';
    location.hash = '#/services';
    byId('f-search').focus();
  },
  page: (button) => list.go(Number(button.dataset.step), filters),
};

/** Wires the filters; once. */
export function start() {
  byId('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    change({search: byId('f-search').value.trim()}, true);
  });
  byId('f-search').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({search: byId('f-search').value.trim()}, true), 200);
  });
  byId('f-type').addEventListener('change', (event) => change({type: event.target.value}));
  byId('f-healthy').addEventListener('change', (event) => change({healthy: event.target.value}));
  byId('f-namespace').addEventListener('change', (event) => change({namespace: event.target.value.trim()}));
  byId('f-namespace').addEventListener('input', (event) => { // picked from the list, or emptied
    const value = event.target.value.trim();
    if (value === '' || (!event.inputType?.startsWith('insertText') && namespaces.has(value))) change({namespace: value});
  });
}
