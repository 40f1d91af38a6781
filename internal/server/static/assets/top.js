// The head of the page: what this replica is, whether the page is live, and what is wrong now.
import {h, icon, show, byId} from './dom.js';
import {clockOf, fullOf, sentence} from './format.js';
import {moment, mono} from './parts.js';

/** Shows a /api/v1/status. */
export function status(s) {
  show(byId('roles'),
    s.standalone ? badge('Standalone', 'It reads files and writes files, without a cluster')
      : s.leader ? badge('Leader', 'This replica writes', 'leader') : badge('Follower', 'This replica watches and shows; another one writes'),
    s.dry_run && badge('Dry run', 'Nothing is written'),
    s.target && h('span', {class: 'target'}, mono(s.target)));
  show(byId('discovered'), s.discovered_at ? ['Discovered ', moment(s.discovered_at)] : 'Not discovered yet');
  byId('version').textContent = s.version ? `dynamic-toolset ${s.version}` : '';
  byId('discover').disabled = false; // there is somebody to ask
  problems(s);
}

const badge = (word, title, name) => h('span', {class: 'badge', title}, name && icon(name), word);

function problems(s) {
  const list = (s.problems ?? []).map((p) => problem(p, s));
  const frozen = s.namespaces_frozen ?? [];
  if (frozen.length > 0 && !(s.problems ?? []).some((p) => p.kind === 'frozen')) list.push(problem({kind: 'frozen', message: `not allowed to watch ${frozen.join(', ')}: what is published of it stays as it is`}, s));
  const few = 2;
  const warnings = list.filter((p) => p.classList.contains('warn'));
  byId('problems').hidden = list.length === 0;
  show(byId('problems'), list.filter((p) => !warnings.includes(p)), warnings.length <= few ? warnings
    : h('details', {class: 'warnings', 'data-key': 'warnings'}, h('summary', null, `${warnings.length} things worth a look`), warnings.slice(0, 50)));
}

// What each kind of problem is called, and what a person does about it.
const kinds = {
  publish: {
    title: 'The document is not written', link: ['#/document?show=desired', 'What would be written'],
    todo: (s) => (s.directory ? 'What was written last stays. See that the directory is there, has space and may be written to; it tries again by itself.'
      : 'What was written last stays. See that the API server answers and that this service may patch the ConfigMap; it tries again by itself.'),
  },
  source: {
    title: 'The Services cannot be read', link: null,
    todo: (s) => (s.standalone ? 'What was last read stays, and may be old. Correct the file; it is read again when it changes.'
      : 'What was last read stays, and may be old. See that the API server answers and that this service may list and watch Services and EndpointSlices; it goes on by itself.'),
  },
  overrides: {title: 'The overrides are not valid', link: ['#/document/overrides.yaml', 'Show the line'], todo: () => 'The last good ones stay in force until the key overrides.yaml is corrected.'},
  frozen: {title: 'Namespaces that may not be watched', link: null, todo: () => 'Grant list and watch on Services and EndpointSlices there, or take them out of discovery.namespaces.'},
  warning: {title: 'Worth a look', link: null, todo: () => ''},
};

function problem(p, s) {
  const k = kinds[p.kind] ?? kinds.warning;
  const roomy = window.matchMedia('(min-width: 40rem)').matches; // on a phone the titles come first
  return h('details', {class: p.kind === 'warning' ? 'problem warn' : 'problem', 'data-key': `${p.kind} ${p.message}`, open: roomy},
    h('summary', null, icon('warn'), h('strong', null, k.title)),
    h('p', {class: 'lines'}, sentence(p.message)),
    (k.todo(s) || k.link) && h('p', null, k.todo(s), ' ', k.link && h('a', {href: k.link[0]}, k.link[1])));
}

/**
 * Shows how the page is connected: connecting, live, lost, waiting or refused. since is when it was lost, in milliseconds;
 * why is what to say of a refusal.
 */
export function connection(name, since, why = '') {
  const words = {connecting: 'Connecting…', live: 'Live', lost: 'Reconnecting…', waiting: 'Waiting…', refused: 'No access'};
  byId('live').dataset.state = name;
  if (byId('live-text').textContent !== words[name]) byId('live-text').textContent = words[name];
  const old = since > 0 && (name === 'lost' || name === 'waiting');
  document.body.classList.toggle('old', old);
  const iso = old ? new Date(since).toISOString() : '';
  note('connection', why ? [icon('warn'), h('span', null, why)] : !old ? null : [icon('warn'), h('span', null,
    name === 'lost' ? 'The service does not answer. What you see is as it was at ' : 'The service is not ready. What you see is as it was at ',
    h('time', {datetime: iso, title: fullOf(iso)}, clockOf(iso)), ' and may be old; this page goes on by itself.')]);
}

const notes = new Map(); // by whom; the connection's stands before that of the last action
let timer = 0;

/** Says something under the head; null takes it back. A result goes by itself after some seconds. */
export function note(from, content, seconds = 0) {
  if (content === null) notes.delete(from);
  else notes.set(from, content);
  const shown = notes.get('connection') ?? notes.get('action');
  byId('note').hidden = !shown;
  byId('note').classList.toggle('bad', notes.has('connection'));
  show(byId('note'), shown ?? '');
  if (seconds > 0) {
    clearTimeout(timer);
    timer = setTimeout(() => note(from, null), seconds * 1000);
  }
}
