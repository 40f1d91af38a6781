// One Service: its verdict, the reasons, and what to do.
import {latest, abandoned} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {health, number, plural, sentence, serviceHash} from './format.js';
import {pill, state, moment, mono, openLink, command, failure, panel, waiting} from './parts.js';
import {timeline} from './changes.js';

const read = latest();

let current = null; // {namespace, name, back}
let loaded = null;
let log = [];

export function open(namespace, name, back) {
  const same = current && current.namespace === namespace && current.name === name;
  current = {namespace, name, back};
  if (!same) {
    loaded = null;
    window.scrollTo(0, 0);
  }
  return refresh();
}

export const title = () => `${current.namespace}/${current.name}`;

export async function refresh() {
  const {namespace, name} = current;
  if (!loaded) render(waiting('the explanation'));
  try {
    loaded = await read(`api/v1/services/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`);
    render(explanation());
  } catch (error) {
    if (error.status === 404) {
      loaded = null;
      render(panel('There is no such Service', h('p', null, sentence(error.message)), h('p', {class: 'muted'}, 'When someone creates it, it appears here by itself.')), history());
      return;
    }
    if (!abandoned(error) && (!loaded || error.status === 403)) render(failure(error));
    throw error;
  }
}

/** Sets the changes, newest first. */
export function changes(list) {
  log = list;
  if (loaded) render(explanation());
}

function render(...content) {
  const verdicts = [...new Set((loaded?.services ?? []).map((s) => s.verdict))];
  show(byId('service-detail'),
    h('p', {class: 'crumbs'}, h('a', {href: current.back, 'data-back': true}, icon('back'), ' All Services')),
    h('div', {class: 'head'}, h('h1', {tabindex: '-1'}, h('span', {class: 'ns'}, `${current.namespace}/`), h('wbr'), current.name), h('div', {class: 'pills'}, verdicts.map(pill))),
    content);
}

function explanation() {
  return h('div', {class: 'columns'},
    h('div', {class: 'reasoning'},
      h('div', {class: 'answer'}, (loaded.summary ?? []).map((s) => h('p', null, s))),
      advice(),
      (loaded.services ?? []).map(backend),
      tried()),
    h('aside', {class: 'side', 'aria-label': 'About this Service'}, facts(), history()));
}

function advice() {
  const list = loaded.advice ?? [];
  if (list.length === 0) return null;
  return h('section', {'data-key': 'advice', 'aria-labelledby': 'h-advice'}, h('h2', {id: 'h-advice'}, 'What you can do'),
    h('ul', {class: 'advice'}, list.map((a) => h('li', null, h('p', null, a.text), a.command && command(a.command)))));
}

// noLink says it as the command explain does.
const noLink = (n) => [[n.object, n.url].filter(Boolean).join(', '), n.reason].filter(Boolean).join(': ');

function backend(b, i) {
  if (!b.type && !b.endpoint) return null;
  const m = b.metadata ?? {};
  const id = `h-backend-${i}`;
  return h('section', {class: 'card', 'data-key': `backend/${b.type}/${b.instance}`, 'aria-labelledby': id},
    h('h2', {id}, b.type ? `As ${b.type}` : 'As a backend', ' ', pill(b.verdict)),
    h('dl', {class: 'facts'},
      fact('Endpoint', mono(b.endpoint)),
      fact('Link', b.link && [mono(b.link), ' ', openLink(b)]),
      fact('No link', (b.no_links ?? []).length > 0 && b.no_links.map((n) => h('div', null, noLink(n)))),
      fact('Health', b.endpoint && state(health(b)), b.last_check && [' ', moment(b.last_check, 'muted')], b.detail && h('div', {class: 'muted'}, b.detail)),
      fact('Version', m.version),
      fact('Port', b.port_reason),
      fact('Toolset', mono(m.toolset)),
      fact('Tokens', b.tokens && `about ${number(b.tokens.toolset + b.tokens.instance)} in each request to the model; ${number(b.tokens.toolset)} of them are for all instances together`),
      fact('Instance', b.instance && b.instance !== `${b.namespace}/${b.name}` && b.instance),
      fact('Primary', b.primary ? `this is the primary ${b.type}` : b.endpoint && serviceLink(b.primary_service), b.primary_note && h('div', {class: 'muted'}, b.primary_note)),
      fact('Shard of', serviceLink(b.shard_of)),
      fact('Used instead', serviceLink(m.duplicate_of)),
      fact('Evidence', m.evidence, m.signs && h('div', {class: 'muted'}, m.signs)),
      fact('Owner’s note', m.description),
      fact('Agent’s token', b.keeps_token && 'not sent: on OpenShift, an empty credential replaces it; to send it, add the namespace to security.trustedNamespaces'),
      fact('HolmesGPT', (b.agent ?? []).length > 0 && b.agent.map((a) => h('div', {class: a.status === 'failed' ? 't-warn' : '', title: a.replica}, sentence(a.message)))),
      fact('Variables', (b.credentials ?? []).length > 0 && [b.credentials.map((v) => [mono(v), ' ']), h('div', {class: 'muted'}, 'HolmesGPT needs these in its environment')])),
    (b.requests ?? []).length > 0 && h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Requests of the probe of ${b.type}`}, h('table', {class: 'plain'},
      h('caption', null, 'Requests of the probe'),
      h('thead', null, h('tr', null, ['Try', 'For', 'Request', 'Status', 'Result', 'Took'].map((t) => h('th', {scope: 'col'}, t)))),
      h('tbody', null, b.requests.map((r) => h('tr', null,
        h('td', {class: 'num'}, r.try), h('td', null, r.purpose), h('td', null, mono(r.url)), h('td', {class: r.status >= 200 && r.status < 400 ? '' : 't-bad'}, r.status || 'no response'), h('td', {class: 'result'}, r.result), h('td', {class: 'num'}, r.took)))))));
}

function fact(name, ...value) {
  const given = value.filter((v) => v !== null && v !== undefined && v !== '' && v !== false);
  return given.length === 0 ? null : [h('dt', null, name), h('dd', null, given)];
}

function serviceLink(ref) {
  if (!ref) return null;
  const [namespace, name] = ref.split('/');
  return h('a', {href: serviceHash(namespace, name)}, ref);
}

function tried() {
  const list = loaded.tried ?? [];
  if (list.length === 0) return null;
  return h('section', {'data-key': 'tried', 'aria-labelledby': 'h-tried'}, h('h2', {id: 'h-tried'}, 'Types that were compared'),
    loaded.tried_without_annotations && h('p', {class: 'muted'}, 'An annotation decided. This is the result without it.'),
    h('ol', {class: 'tried'}, list.map((t) => h('li', {class: t.against ? 'no' : '', 'data-key': `tried/${t.type}`},
      h('h3', null, t.type),
      h('dl', {class: 'facts'},
        fact('For', (t.for ?? []).length > 0 && h('ul', null, t.for.map((f) => h('li', null, f)))),
        fact('Against', t.against),
        fact('Port', t.port),
        fact('Result', h('strong', null, t.so)))))));
}

function facts() {
  const a = loaded.about;
  if (!a) return null;
  return h('section', {class: 'card', 'data-key': 'about', 'aria-labelledby': 'h-about'}, h('h2', {id: 'h-about'}, 'The Service'),
    h('dl', {class: 'facts narrow'},
      fact('Kind', a.kind), fact('Ports', a.ports), fact('Endpoints', a.endpoints),
      fact('Labels', pairs(a.labels), a.other_labels > 0 && h('div', {class: 'muted'}, `and ${plural(a.other_labels, 'other')} that no rule reads`)),
      fact('Selector', pairs(a.selector)), fact('Annotations', pairs(a.annotations))));
}

function pairs(map) {
  const list = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return list.length === 0 ? null : h('ul', {class: 'pairs'}, list.map(([k, v]) => h('li', {class: 'mono'}, h('span', {class: 'muted'}, `${k}=`), h('wbr'), v)));
}

function history() {
  const own = log.filter((c) => c.namespace === current.namespace && c.service === current.name).slice(0, 20);
  return h('section', {class: 'card', 'data-key': 'history', 'aria-labelledby': 'h-history'}, h('h2', {id: 'h-history'}, 'Its recent changes'),
    own.length === 0 ? h('p', {class: 'muted'}, 'None since this replica started.') : timeline(own, {links: false}));
}
