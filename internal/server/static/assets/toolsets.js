// The toolsets of HolmesGPT's document.
import {reason} from './agent.js';
import {h, icon, show, byId} from './dom.js';
import {plural, number, serviceHash} from './format.js';
import {pages} from './pages.js';
import {state, mono, openLink, panel} from './parts.js';

const fewInstances = 12; // of one toolset; a link to the filtered Services shows the others

const list = pages({id: 'toolsets-list', path: 'api/v1/toolsets', names: 'toolsets', render});

export const refresh = () => list.refresh();

function render({toolsets, tokens}) {
  if (toolsets.length === 0) {
    show(byId('toolsets-list'), panel('No toolsets yet', h('p', null, 'No backend is accepted, and the baseline is empty.'), h('p', null, h('a', {href: '#/services'}, 'See the reasons at the Services.'))));
    return;
  }
  show(byId('toolsets-list'),
    h('p', {class: 'muted'}, 'These toolsets add about ', h('strong', null, `${number(tokens)} tokens`), ' to each request to the agent’s model. Disable the toolsets that you do not need.'),
    h('ul', {class: 'toolsets'}, toolsets.map(entry)),
    list.pager(toolsets.length, 'toolset-page'));
}

const healthWords = (healthy) => (healthy === true ? {icon: 'accepted', tone: 'good', word: 'healthy'}
  : healthy === false ? {icon: 'unavailable', tone: 'bad', word: 'not healthy'} : {icon: 'none', tone: 'quiet', word: 'not probed'});

const cost = (t) => h('span', null, h('span', {class: 'muted'}, 'tokens '), t.tokens === null || t.tokens === undefined ? 'not known' : number(t.tokens));

function entry(t) {
  const instances = t.instances ?? [];
  const some = instances.slice(0, fewInstances);
  const config = Object.keys(t.config ?? {}).length > 0;
  return h('li', {class: 'card', 'data-key': t.name},
    h('div', {class: 'meta'}, h('h2', null, h('span', {class: 'mono'}, t.name), ' ', t.enabled ? h('span', {class: 'tag'}, 'enabled') : h('span', {class: 'tag off'}, 'disabled')),
      h('span', null, h('span', {class: 'muted'}, 'type '), t.type), state(healthWords(t.healthy)), cost(t), h('span', {class: 'muted'}, instances.length ? plural(instances.length, 'backend') : 'no backend: built into HolmesGPT, or from the overrides')),
    reason(t.name),
    some.length > 0 && h('ul', {class: 'instances'}, some.map((i) => {
      const [namespace, name] = i.service.split('/');
      return h('li', {'data-key': i.name}, h('a', {href: serviceHash(namespace, name)}, i.service),
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
  'toolset-page': (button) => list.go(Number(button.dataset.step)),
};
