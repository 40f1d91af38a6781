// HolmesGPT's state: at the head of every view, at its toolsets and at their backends.
import {get} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {isTime, fullOf, minuteOf, plural, sentence} from './format.js';
import {mono, command, state} from './parts.js';

let replicas = [];
let shown = ''; // the last response, without its times

/** Reads HolmesGPT's state and shows it; returns whether it has changed. */
export async function refresh() {
  const a = await get('api/v1/agent');
  replicas = a.replicas ?? [];
  byId('agent').hidden = replicas.length === 0 && !a.asked;
  show(byId('agent'), replicas.length === 0 ? h('p', {class: 'muted'}, sentence(a.message)) : replicas.map(replica));
  const now = JSON.stringify(replicas.map((r) => ({...r, checked_at: ''})));
  const changed = now !== shown;
  shown = now;
  return changed;
}

const tones = {
  loaded: {icon: 'accepted', tone: 'good'}, waiting: {icon: 'unconfirmed', tone: 'warn'},
  away: {icon: 'unavailable', tone: 'bad'}, failed: {icon: 'unavailable', tone: 'bad'},
};

function toneOf(r, bad) {
  if (bad && r.outcome === 'loaded') return {icon: 'unavailable', tone: 'warn'};
  if (r.late && r.outcome === 'waiting') return tones.failed;
  return tones[r.outcome] ?? tones.waiting;
}

const time = (iso) => h('time', {datetime: iso, title: fullOf(iso)}, minuteOf(iso));

function said(r) {
  const enabled = `${r.enabled} of ${plural(r.total, 'toolset')} enabled`;
  if (r.outcome === 'loaded' && isTime(r.since)) return ['has this document since ', time(r.since), `: ${enabled}`];
  if (r.outcome !== 'waiting' || !isTime(r.published_at)) return r.message;
  return [r.late ? 'still has the document from ' : 'has the document from ', time(r.published_at), r.late ? ', and does not get the new one' : ': waiting for its mount'];
}

function replica(r) {
  const bad = (r.toolsets ?? []).flatMap(failures);
  const todo = r.advice ?? [];
  const head = [state({...toneOf(r, bad.length > 0), word: 'HolmesGPT'}), ' ', r.version && h('span', {class: 'muted'}, r.version), ' ', h('span', null, said(r))];
  if (bad.length === 0 && todo.length === 0) return h('p', {class: 'agent-line', 'data-key': r.url, title: r.url}, head);
  const told = new Set();
  const fresh = (a) => !told.has(a.text) && told.add(a.text); // one advice for each cause
  return h('details', {class: 'agent-line', 'data-key': r.url}, h('summary', {title: r.url}, head),
    todo.map(cure),
    bad.length > 0 && h('ul', {class: 'failures'}, bad.map((t) => h('li', {'data-key': t.name}, h('p', null, mono(t.name), ' ', t.error || 'HolmesGPT gives no reason'), (t.advice ?? []).filter(fresh).map(cure)))));
}

const cure = (a) => h('div', {class: 'cure'}, h('p', null, a.text), a.command && command(a.command));

/** The failures of a toolset: the instances that HolmesGPT names, else the toolset. */
const failures = (t) => (t.instances ?? []).length > 0 ? t.instances.map((i) => ({...i, toolset: t.name, instance: i.name, name: `${t.name}: ${i.name}`}))
  : t.status === 'failed' ? [{...t, toolset: t.name, instance: ''}] : [];

const failed = (names) => replicas.flatMap((r) => r.toolsets ?? []).filter((t) => names.includes(t.name)).flatMap(failures);

/** Why HolmesGPT cannot use a toolset (no instance given) or one instance; null if it can. */
export function reason(name, instance = '') {
  const why = failed([name]).find((f) => f.instance === instance);
  return why ? blame('HolmesGPT cannot use it: ', why) : null;
}

/** Why HolmesGPT cannot use the backend that is an instance of these toolsets; null if it can. */
export function backendReason(names, instance) {
  const all = failed(names);
  const own = all.find((f) => f.instance === instance);
  const whole = all.find((f) => f.instance === '');
  if (own) return blame('HolmesGPT cannot use it: ', own);
  return whole ? blame(`HolmesGPT cannot use ${whole.toolset}: `, whole) : null;
}

const blame = (what, {error, advice}) => h('div', {class: 'agent-reason'}, icon('warn'),
  h('div', null, h('p', null, what, error || 'it gives no reason'), advice?.[0] && h('p', {class: 'muted'}, advice[0].text.replace(/:$/, '.'))));
