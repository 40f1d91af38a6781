// The recent changes, as a time line.
import {get} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {kind, kinds, clockOf, dayOf, plural, serviceHash, number} from './format.js';
import {moment, failure, panel, waiting} from './parts.js';

const kept = 500; // the service keeps as many
const step = 100;

let list = null; // newest first; null until the first answer
let shown = step;
let only = '';

const identity = (c) => `${c.seq} ${c.at}`;

export const all = () => list ?? [];

/** Reads all changes that the service keeps. */
export async function load() {
  try {
    const answer = await get('api/v1/changes', {limit: kept});
    list = answer.changes ?? [];
    render();
  } catch (error) {
    if (!list || error.status === 403) show(byId('changes-list'), failure(error));
    throw error;
  }
}

/** Adds a new change; returns false if it is known. */
export function add(change) {
  list ??= [];
  if (list.some((c) => identity(c) === identity(change))) return false;
  list.unshift(change);
  list.length = Math.min(list.length, kept);
  return true;
}

export function open(query) {
  only = query.get('kind') ?? '';
  shown = step;
  if (list) render();
  else show(byId('changes-list'), waiting('the changes'));
}

export function render() {
  const fits = list.filter((c) => !only || c.kind === only);
  const found = [...new Set(list.map((c) => c.kind))].sort((a, b) => Object.keys(kinds).indexOf(a) - Object.keys(kinds).indexOf(b));
  show(byId('changes-list'),
    list.length === 0 && panel('Nothing has changed yet', h('p', null, 'New changes appear here by themselves.')),
    list.length > 0 && h('div', {class: 'chips', role: 'group', 'aria-label': 'Filter by kind'},
      h('a', {class: 'chip', href: '#/changes', 'data-key': 'all', 'aria-current': only === '' ? 'true' : null}, h('span', {class: 'n'}, number(list.length)), ' All'),
      found.map((k) => h('a', {class: `chip t-${kind(k).tone}`, href: `#/changes?kind=${k}`, 'data-key': k, 'aria-current': only === k ? 'true' : null},
        icon(kind(k).icon), h('span', {class: 'n'}, number(list.filter((c) => c.kind === k).length)), ' ', kind(k).word))),
    list.length > 0 && fits.length === 0 && panel('No such change', h('p', null, 'None of the recent changes is of this kind.')),
    timeline(fits.slice(0, shown), {links: true, days: true}),
    fits.length > shown && h('p', {class: 'buttons'}, h('button', {type: 'button', 'data-do': 'older'}, `Show older (${plural(fits.length - shown, 'more', 'more')})`)));
}

/** A list of changes; days adds a heading for each day. */
export function timeline(changes, {links, days = false}) {
  const groups = [];
  for (const c of changes) {
    const day = days ? dayOf(c.at) : '';
    if (groups.at(-1)?.day !== day) groups.push({day, entries: []});
    groups.at(-1).entries.push(c);
  }
  return groups.map((g) => h('div', {class: 'day', 'data-key': `day ${g.day}`}, g.day && h('h2', null, g.day), h('ol', {class: 'timeline'}, g.entries.map((c) => entry(c, links)))));
}

function entry(c, links) {
  const k = kind(c.kind);
  return h('li', {'data-key': identity(c), class: `t-${k.tone}`},
    h('span', {class: 'bullet'}, icon(k.icon)),
    h('div', {class: 'what'},
      h('p', {class: 'headline'}, h('strong', null, k.word), ' ',
        links && c.namespace && c.service && [h('a', {href: serviceHash(c.namespace, c.service)}, `${c.namespace}/${c.service}`), ' '],
        c.type && h('span', {class: 'muted'}, `as ${c.type}`)),
      h('p', {class: 'message'}, c.message)),
    h('p', {class: 'when muted'}, h('span', null, clockOf(c.at)), ' ', moment(c.at)));
}

/** One change in a sentence, for screen readers. */
export function sentence(c) {
  const about = c.namespace && c.service ? ` ${c.namespace}/${c.service}` : '';
  return `${kind(c.kind).word}${about}${c.type ? ` as ${c.type}` : ''}: ${c.message}`;
}

export const actions = {
  older() {
    shown += step;
    render();
  },
};
