// What the running HolmesGPT made of the document, at the head of every view.
import {get} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {sentence} from './format.js';
import {moment, mono, command, state} from './parts.js';

let replicas = [];

/** Asks for it and shows it. */
export async function refresh() {
  const a = await get('api/v1/agent');
  replicas = a.replicas ?? [];
  byId('agent').hidden = replicas.length === 0 && !a.asked;
  show(byId('agent'), replicas.length === 0 ? h('p', {class: 'muted'}, sentence(a.message)) : replicas.map(replica));
}

const tones = {loaded: {icon: 'accepted', tone: 'good'}, waiting: {icon: 'unconfirmed', tone: 'warn'}, away: {icon: 'unavailable', tone: 'bad'}, failed: {icon: 'unavailable', tone: 'bad'}};

function replica(r) {
  const bad = (r.toolsets ?? []).filter((t) => t.status === 'failed');
  const tone = bad.length > 0 && r.outcome === 'loaded' ? {icon: 'unavailable', tone: 'warn'} : tones[r.outcome] ?? {icon: 'unconfirmed', tone: 'warn'};
  const todo = [...(r.advice ?? []), ...bad.flatMap((t) => t.advice ?? [])];
  const head = [state({...tone, word: 'HolmesGPT'}), ' ', r.version && h('span', {class: 'muted'}, r.version), ' ', h('span', null, r.message),
    r.since && r.outcome === 'loaded' && h('span', {class: 'muted'}, ' · loaded ', moment(r.since))];
  if (bad.length === 0 && todo.length === 0) return h('p', {class: 'agent-line', 'data-key': r.url, title: r.url}, head);
  return h('details', {class: 'agent-line', 'data-key': r.url}, h('summary', {title: r.url}, head),
    bad.length > 0 && h('ul', {class: 'instances'}, bad.map((t) => h('li', {'data-key': t.name}, mono(t.name), h('span', null, t.error)))),
    todo.length > 0 && h('ul', {class: 'advice'}, todo.map((a) => h('li', null, h('p', null, a.text), a.command && command(a.command)))));
}

/** What the replicas made of one toolset: the reasons of those at which it fails. */
export function reasons(name) {
  const failing = replicas.flatMap((r) => (r.toolsets ?? []).filter((t) => t.name === name && t.status === 'failed'));
  return failing.length === 0 ? null : h('div', {class: 'agent-reason'}, icon('warn'), h('span', null, 'HolmesGPT cannot use it: ', failing[0].error || 'it does not say why'));
}
