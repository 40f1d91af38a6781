// The head of the page: the role of this replica, the state of the connection, and the current problems.
import {h, icon, show, byId} from './dom.js';
import {clockOf, fullOf, sentence} from './format.js';
import {moment, mono} from './parts.js';

/** Shows a /api/v1/status. */
export function status(s) {
  show(byId('roles'),
    s.standalone ? badge('Standalone', 'It reads and writes files, without a cluster')
      : s.leader ? badge('Leader', 'This replica writes the document', 'leader') : badge('Follower', 'Another replica writes the document'),
    s.dry_run && badge('Dry run', 'The service writes nothing'),
    s.target && h('span', {class: 'target'}, mono(s.target)));
  show(byId('discovered'), s.discovered_at ? ['Discovered ', moment(s.discovered_at)] : 'Not discovered yet');
  byId('version').textContent = s.version ? `dynamic-toolset ${s.version}` : '';
  byId('discover').disabled = false; // the service answers
  problems(s);
}

const badge = (word, title, name) => h('span', {class: 'badge', title}, name && icon(name), word);

function problems(s) {
  const list = s.problems.map((p) => problem(p, s));
  const few = 2;
  const warnings = list.filter((p) => p.classList.contains('warn'));
  byId('problems').hidden = list.length === 0;
  show(byId('problems'), list.filter((p) => !warnings.includes(p)), warnings.length <= few ? warnings
    : h('details', {class: 'warnings', 'data-key': 'warnings'}, h('summary', null, `${warnings.length} warnings`), warnings.slice(0, 50)));
}

// The title of each kind of problem, and what to do about it.
const kinds = {
  publish: {
    title: 'The document is not written', link: ['#/document?show=desired', 'Show the new document'],
    todo: (s) => (s.directory ? 'The last document stays. Check that the directory exists, has space and is writable. The service tries again by itself.'
      : 'The last document stays. Check that the API server answers and that this service may patch the ConfigMap. The service tries again by itself.'),
  },
  source: {
    title: 'The Services cannot be read', link: null,
    todo: (s) => (s.standalone ? 'The page shows the last Services that were read. Correct the file; the service reads it again when it changes.'
      : 'The page shows the last Services that were read. Check that the API server answers and that this service may list and watch Services and EndpointSlices. The service tries again by itself.'),
  },
  overrides: {title: 'The overrides are not valid', link: ['#/document/overrides.yaml', 'Show the line'], todo: () => 'The last valid overrides stay in force. Correct the key overrides.yaml.'},
  frozen: {title: 'Namespaces that may not be watched', link: null, todo: () => 'Grant list and watch on Services and EndpointSlices in these namespaces, or remove them from discovery.namespaces.'},
  warning: {title: 'Warning', link: null, todo: () => ''},
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
 * Shows the state of the connection: connecting, live, lost, waiting or refused. since is the time of the loss in milliseconds;
 * why is the reason of a refusal.
 */
export function connection(name, since, why = '') {
  const words = {connecting: 'Connecting…', live: 'Live', lost: 'Reconnecting…', waiting: 'Waiting…', refused: 'No access'};
  byId('live').dataset.state = name;
  if (byId('live-text').textContent !== words[name]) byId('live-text').textContent = words[name];
  const old = since > 0 && (name === 'lost' || name === 'waiting');
  document.body.classList.toggle('old', old);
  const iso = old ? new Date(since).toISOString() : '';
  note('connection', why ? [icon('warn'), h('span', null, why)] : !old ? null : [icon('warn'), h('span', null,
    name === 'lost' ? 'The service does not answer. This page shows the state at ' : 'The service is not ready. This page shows the state at ',
    h('time', {datetime: iso, title: fullOf(iso)}, clockOf(iso)), '. It reconnects by itself.')]);
}

const notes = new Map(); // by source; the connection's note hides the last action's
let timer = 0;

/** Shows a note under the head; null removes it. With seconds, it disappears after that time. */
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
