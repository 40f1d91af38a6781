// The written document by key, the one that it replaced, and the admin's overrides.
import {latest, abandoned} from './api.js';
import {h, icon, show, byId} from './dom.js';
import {lines as diffLines, split} from './diff.js';
import {size, plural, number, isTime} from './format.js';
import {moment, mono, failure, waiting, panel} from './parts.js';

const overridesKey = 'overrides.yaml';
const mostLines = 1500; // shown with line numbers; a longer text has none

const read = latest();

let loaded = null;
let wanted = {key: '', view: ''};
let compared = []; // the last comparisons: each refresh needs them again

export function open(key, query) {
  wanted = {key, view: query.get('show') ?? ''};
  if (loaded) render();
  const ready = refresh();
  return key === overridesKey ? ready.then(() => byId('document-body').querySelector('.marked')?.scrollIntoView({block: 'nearest'})) : ready;
}

export async function refresh() {
  if (!loaded) show(byId('document-body'), waiting('the document'));
  try {
    loaded = await read('api/v1/document');
    render();
  } catch (error) {
    if (!abandoned(error) && (!loaded || error.status === 403)) show(byId('document-body'), failure(error));
    throw error;
  }
}

function rank(key) {
  return ({'custom_toolset.yaml': 0, [overridesKey]: 2, 'state.json': 3})[key] ?? 1;
}

function names() {
  const set = new Set([...Object.keys(loaded.keys ?? {}), ...Object.keys(loaded.replaced ?? {}), ...Object.keys(loaded.desired ?? {})]);
  if (loaded.overrides?.text || loaded.overrides?.error) set.add(overridesKey);
  return [...set].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function render() {
  const list = names();
  const written = loaded.written_at;
  show(byId('document-lead'), 'Written to ', mono(loaded.target), isTime(written) ? [', ', moment(written)] : ' before this process started',
    loaded.resource_version && [', version ', loaded.resource_version], '.');
  if (list.length === 0) {
    show(byId('document-body'), panel('Nothing is written yet', h('p', null, loaded.error || 'The document appears here after the first discovery.')));
    return;
  }
  const key = list.includes(wanted.key) ? wanted.key : list[0];
  show(byId('document-body'), h('div', {class: 'document'},
    h('nav', {class: 'keys', 'aria-label': 'Keys'}, h('ul', null, list.map((name) => h('li', {'data-key': name},
      h('a', {href: `#/document/${encodeURIComponent(name)}`, 'aria-current': name === key ? 'true' : null}, h('span', {class: 'mono'}, name), h('span', {class: 'muted'}, keyNote(name))))))),
    h('div', {class: 'text', 'data-key': `text ${key}`}, key === overridesKey ? overrides() : content(key))), variables());
}

function keyNote(name) {
  if (name === overridesKey) return loaded.overrides.valid ? 'from the admin' : 'from the admin, invalid';
  const now = loaded.keys?.[name];
  if (differs(name)) return now === undefined ? 'not written yet' : 'will change';
  if (now === undefined) return 'removed';
  if (loaded.replaced && loaded.replaced[name] === undefined) return 'new';
  if (loaded.replaced && loaded.replaced[name] !== now) return 'changed';
  return size(new Blob([now]).size);
}

const differs = (name) => loaded.desired?.[name] !== undefined && loaded.desired[name] !== loaded.keys?.[name];

function content(key) {
  const now = loaded.keys?.[key];
  const before = loaded.replaced?.[key];
  const views = [
    now !== undefined && {id: 'text', word: 'Written'},
    loaded.replaced && before !== now && {id: 'replaced', word: now === undefined ? 'Removed' : 'Last change'},
    differs(key) && {id: 'desired', word: 'Next change'},
  ].filter(Boolean);
  const view = views.some((v) => v.id === wanted.view) ? wanted.view : views[0]?.id ?? 'text';
  return [
    h('div', {class: 'texthead'}, h('h2', {class: 'mono'}, key),
      views.length > 1 && h('div', {class: 'views', role: 'group', 'aria-label': 'What to show'}, views.map((v) => h('a', {'data-key': v.id, href: `#/document/${encodeURIComponent(key)}?show=${v.id}`, 'aria-current': v.id === view ? 'true' : null}, v.word))),
      view === 'text' && h('button', {type: 'button', class: 'quiet', 'data-key': 'copy', 'data-do': 'copy-key', 'data-name': key}, icon('copy'), ' ', h('span', null, 'Copy'))),
    h('div', {'data-key': view}, view === 'replaced' ? comparison(before ?? '', now ?? '', `${key}: last change`)
      : view === 'desired' ? comparison(now ?? '', loaded.desired[key], `${key}: next change`)
        : numbered(now ?? '', key)),
  ];
}

function numbered(text, label, marked = 0) {
  const list = split(text);
  if (list.length > mostLines || text.length > 200_000) {
    return [h('p', {class: 'muted'}, `${plural(list.length, 'line')}, ${size(new Blob([text]).size)}`), h('pre', {class: 'code whole', tabindex: '0', role: 'region', 'aria-label': label}, text)];
  }
  return h('div', {class: 'code', tabindex: '0', role: 'region', 'aria-label': label}, list.map((line, i) => h('div', {class: i + 1 === marked ? 'l marked' : 'l'},
    h('span', {class: 'no', 'aria-hidden': 'true'}, i + 1), h('code', null, i + 1 === marked ? h('mark', null, line || ' ') : coloured(line)))));
}

// Colours keys and comments of YAML; other lines stay as they are.
function coloured(line) {
  const comment = /^(\s*)(#.*)$/.exec(line);
  if (comment) return [comment[1], h('span', {class: 'y-comment'}, comment[2])];
  const pair = /^(\s*(?:- )*)([\w"'./-]+)(:)(?=\s|$)(.*)$/.exec(line);
  return pair ? [pair[1], h('span', {class: 'y-key'}, pair[2]), pair[3], pair[4]] : line;
}

function comparison(before, after, label) {
  let known = compared.find((c) => c.before === before && c.after === after);
  if (!known) {
    known = {before, after, result: diffLines(before, after)};
    compared = [known, ...compared].slice(0, 8);
  }
  const {lines, more, added, removed} = known.result;
  return [
    h('p', {class: 'muted'}, `${plural(added, 'line')} added, ${number(removed)} removed`),
    h('div', {class: 'code diff', tabindex: '0', role: 'region', 'aria-label': label}, lines.map((l) => (l.kind === 'gap'
      ? h('div', {class: 'l gap'}, `${plural(l.count, 'line')} the same`)
      : h('div', {class: `l ${l.kind}`}, h('span', {class: 'no', 'aria-hidden': 'true'}, l.a ?? ''), h('span', {class: 'no', 'aria-hidden': 'true'}, l.b ?? ''),
        h('span', {class: 'sign'}, {old: '−', new: '+', same: ' '}[l.kind]), h('code', null, l.text)))),
    more > 0 && h('div', {class: 'l gap'}, `${plural(more, 'more line')} of changes: too many to show`)),
  ];
}

function overrides() {
  const o = loaded.overrides;
  return [
    h('div', {class: 'texthead'}, h('h2', {class: 'mono'}, overridesKey), h('span', {class: o.valid ? 'state t-good' : 'state t-bad'}, icon(o.valid ? 'accepted' : 'warn'), o.valid ? 'in force' : 'not valid: the last valid overrides are in force')),
    o.error && h('p', {class: 'error lines'}, o.line && !o.error.includes(`:${o.line}`) ? `Line ${o.line}${o.column ? `, column ${o.column}` : ''}: ` : '', o.error),
    numbered(o.text ?? '', overridesKey, o.valid ? 0 : o.line ?? 0),
  ];
}

function variables() {
  const list = loaded.variables ?? [];
  if (list.length === 0) return null;
  return h('section', {class: 'variables', 'data-key': 'variables', 'aria-labelledby': 'h-variables'}, h('h2', {id: 'h-variables'}, 'Variables that HolmesGPT needs'),
    h('p', {class: 'muted'}, 'The document has no credentials, only references to these variables. If a variable is missing, HolmesGPT drops the whole toolset.'),
    h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-labelledby': 'h-variables'}, h('table', {class: 'plain'},
      h('thead', null, h('tr', null, ['Variable', 'Toolset', 'Instance', 'Field'].map((t) => h('th', {scope: 'col'}, t)))),
      h('tbody', null, list.map((v) => h('tr', null, h('td', null, mono(v.name)), h('td', null, v.toolset), h('td', null, v.instance), h('td', null, mono(v.field))))))));
}

export const actions = {
  'copy-key': (button, copy) => copy(loaded.keys[button.dataset.name] ?? '', button),
};
