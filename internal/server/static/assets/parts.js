// Elements that several views use.
import {h, icon} from './dom.js';
import {verdict, verdicts, ago, fullOf, isTime, sentence} from './format.js';

/** A verdict as icon and word. */
export const pill = (name) => h('span', {class: `pill v-${name}`, title: verdict(name).help}, icon(Object.hasOwn(verdicts, name) ? name : 'none'), verdict(name).word);

/** A state as icon and words, in a tone: good, bad, warn, info, quiet. */
export const state = ({icon: name, tone, word}) => word && h('span', {class: `state t-${tone}`}, icon(name), word);

/** The time since a moment; app.js keeps it up to date. */
export function moment(iso, className = '') {
  if (!isTime(iso)) return null;
  return h('time', {class: className, datetime: iso, title: fullOf(iso), 'data-ago': Date.parse(iso)}, ago(Date.parse(iso)));
}

/** A command, or lines to add, with a button that copies them. */
export function command(text, label = 'Copy the command') {
  return h('div', {class: 'command'}, h('pre', {tabindex: '0', 'aria-label': 'Command'}, h('code', null, text)),
    h('button', {type: 'button', class: 'quiet', 'data-do': 'copy', 'aria-label': label}, icon('copy'), ' ', h('span', null, 'Copy')));
}

/** Text with its URLs' and names' long words allowed to break. */
export const mono = (text, className = '') => text && h('code', {class: `mono ${className}`.trim()}, text);

/** The link to a backend for people. Only http and https links open. */
export function openLink({link}, name) {
  if (!/^https?:\/\//.test(link ?? '')) return null;
  return h('a', {class: 'tag open', href: link, target: '_blank', rel: 'noopener noreferrer', title: link, 'aria-label': name && `open ${name}`}, 'open');
}

/** A message in place of content. */
export function panel(title, ...children) {
  return h('div', {class: 'panel'}, h('h2', null, title), children);
}

export const waiting = (what) => h('p', {class: 'panel muted', 'aria-busy': 'true'}, `Reading ${what}…`);

/** The message for a failed request, with what to do about it. */
export function failure(error) {
  switch (error.status) {
    case 0:
      return panel(error.title, h('p', null, sentence(error.message)), h('p', {class: 'muted'}, 'The page tries again by itself.'));
    case 401:
      return h('div', {class: 'panel', 'data-key': 'token'}, h('h2', null, 'A token is required'), h('p', null, sentence(error.message)),
        h('p', {class: 'buttons'}, h('button', {type: 'button', 'data-do': 'token'}, icon('key'), ' Enter a token')));
    case 403:
      return forbidden(error);
    case 503:
      return panel('Not ready yet', h('p', null, sentence(error.message)), h('p', {class: 'muted'}, 'The data appears here by itself when it is ready.'));
    default:
      return panel('The request failed', h('p', null, sentence(error.message)),
        error.errors.length > 0 && h('ul', null, error.errors.map((e) => h('li', null, [e.location, e.message].filter(Boolean).join(': ')))),
        error.requestId && h('p', {class: 'muted'}, 'For the details, search the log for the request ', mono(error.requestId), '.'));
  }
}

/** The right that a 403 names, and the command that grants it. */
export function forbidden(error) {
  return h('div', {class: 'panel', 'data-key': 'forbidden'},
    h('h2', null, 'The token is valid, but a right is missing'),
    h('p', null, sentence(error.message)),
    h('p', null, 'An admin of the cluster can grant it:'),
    command(grant(error.message)),
    h('p', {class: 'buttons'}, h('button', {type: 'button', 'data-do': 'token'}, icon('key'), ' Use another token')));
}

/**
 * The command that grants the rights to read and to discover to the user and namespace of the error message. The resources
 * exist only in Roles: kubectl create role refuses such resources, kubectl apply accepts them.
 */
export function grant(message) {
  const namespace = /in the namespace ([a-z0-9-]+)/.exec(message)?.[1] ?? 'NAMESPACE';
  const user = /user "([\w.:@/-]+)"/.exec(message)?.[1] ?? 'USER';
  const account = /^system:serviceaccount:([a-z0-9.-]+):([a-z0-9.-]+)$/.exec(user);
  const subject = account
    ? `{kind: ServiceAccount, namespace: ${account[1]}, name: ${account[2]}}`
    : `{apiGroup: rbac.authorization.k8s.io, kind: User, name: "${user}"}`;
  return `kubectl apply -f - <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: dynamic-toolset-viewer, namespace: ${namespace}}
rules:
- {apiGroups: [toolset.kubernaut.io], resources: [toolsets, services], verbs: [get, list, watch]}
- {apiGroups: [toolset.kubernaut.io], resources: [discoveries], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dynamic-toolset-viewer, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: dynamic-toolset-viewer}
subjects:
- ${subject}
END`;
}
