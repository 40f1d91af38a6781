// The toolsets of HolmesGPT's document.
import {reason} from './agent.js';
import {get, abandoned} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {plural, number, serviceHash} from './format.js';
import {state, mono, openLink, failure, waiting, panel} from './parts.js';

const pageSize = 100;
const fewInstances = 12; // of one toolset; a link to the filtered Services shows the others

let pages = [''];
let loaded = null;
let running = null;

export const open = () => refresh();

export async function refresh() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const at = pages.at(-1);
  if (!loaded) show(byId('toolsets-list'), waiting('the toolsets'));
  try {
    const answer = await get('api/v1/toolsets', {limit: pageSize, continue: at}, {signal: mine.signal});
    if (running !== mine) return;
    loaded = {...answer, before: (pages.length - 1) * pageSize};
    render();
  } catch (error) {
    if (abandoned(error) || running !== mine) return;
    if (error.status === 400 && at !== '') {
      pages = [''];
      await refresh();
      return;
    }
    if (!loaded || error.status === 403) show(byId('toolsets-list'), failure(error));
    throw error;
  }
}

function render() {
  const list = loaded.toolsets ?? [];
  if (list.length === 0) {
    show(byId('toolsets-list'), panel('No toolsets yet', h('p', null, 'No backend is accepted, and the baseline is empty.'), h('p', null, h('a', {href: '#/services'}, 'See the reasons at the Services.'))));
    return;
  }
  const to = loaded.before + list.length;
  show(byId('toolsets-list'),
    h('p', {class: 'muted'}, 'These toolsets add about ', h('strong', null, `${number(loaded.tokens)} tokens`), ' to each request to the agent’s model. Disable the toolsets that you do not need.'),
    h('ul', {class: 'toolsets'}, list.map(entry)),
    (loaded.continue || pages.length > 1) && h('nav', {class: 'pager', 'aria-label': 'Pages of toolsets'},
      h('span', {class: 'muted', role: 'status'}, `${number(loaded.before + 1)} to ${number(to)} of ${number(loaded.count)}`),
      pages.length > 1 && h('button', {type: 'button', 'data-key': 'prev', 'data-do': 'toolset-page', 'data-step': '-1'}, 'Previous'),
      loaded.continue && h('button', {type: 'button', 'data-key': 'next', 'data-do': 'toolset-page', 'data-step': '1'}, 'Next')));
}

const healthWords = (healthy) => (healthy === true ? {icon: 'accepted', tone: 'good', word: 'healthy'}
  : healthy === false ? {icon: 'unavailable', tone: 'bad', word: 'not healthy'} : {icon: 'none', tone: 'quiet', word: 'not probed'});

const tokens = (t) => h('span', null, h('span', {class: 'muted'}, 'tokens '), t.tokens === null || t.tokens === undefined ? 'not known' : number(t.tokens));

function entry(t) {
  const instances = t.instances ?? [];
  const some = instances.slice(0, fewInstances);
  const config = Object.keys(t.config ?? {}).length > 0;
  return h('li', {class: 'card', 'data-key': t.name},
    h('div', {class: 'meta'}, h('h2', null, h('span', {class: 'mono'}, t.name), ' ', t.enabled ? h('span', {class: 'tag'}, 'enabled') : h('span', {class: 'tag off'}, 'disabled')),
      h('span', null, h('span', {class: 'muted'}, 'type '), t.type), state(healthWords(t.healthy)), tokens(t), h('span', {class: 'muted'}, instances.length ? plural(instances.length, 'backend') : 'no backend: built into HolmesGPT, or from the overrides')),
    reason(t.name),
    some.length > 0 && h('ul', {class: 'instances'}, some.map((i) => {
      const [namespace, name] = i.service.split('/');
      return h('li', {'data-key': i.service + i.type}, h('a', {href: serviceHash(namespace, name)}, i.service),
        i.primary && h('span', {class: 'tag'}, icon('star'), 'primary'), openLink(i, i.service), mono(i.endpoint, 'muted'),
        state(healthWords(i.healthy)),
        reason(t.name, i.name));
    })),
    instances.length > some.length && h('p', null, h('a', {href: `#/services?type=${encodeURIComponent(t.type)}&verdict=accepted`}, `and ${plural(instances.length - some.length, 'more', 'more')}`)),
    config && h('details', null, h('summary', null, 'Configuration'), h('pre', {class: 'code', tabindex: '0', 'aria-label': `Configuration of ${t.name}`}, clip(JSON.stringify(t.config, null, 2)))));
}

const longest = 20_000; // characters
const clip = (text) => (text.length > longest ? `${text.slice(0, longest)}\n… the rest is in the document` : text);

export const actions = {
  'toolset-page'(button) {
    if (button.dataset.step === '1') pages.push(loaded.continue);
    else pages.pop();
    window.scrollTo(0, 0);
    refresh().then(() => byId('toolsets-list').querySelector('a, summary')?.focus({preventScroll: true}), () => {});
  },
};
