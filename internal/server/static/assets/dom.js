// Builds and refreshes elements. Texts become text nodes or attributes; nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. It leaves out attributes that are null, undefined or false; true is an attribute without a value.
 * Children are nodes, texts, numbers or lists of these; null, undefined, false and '' are left out.
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

function add(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(parent, child);
    else if (child instanceof Node) parent.append(child);
    else if (child !== null && child !== undefined && child !== false && child !== '') parent.append(String(child));
  }
}

/** An icon of the sprite in index.html. Always put a word beside it. */
export function icon(name, className = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `icon ${className}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/**
 * Replaces the children of parent, and changes only what differs, so that focus, scrolling, selections and opened details
 * stay. An element with data-key keeps its identity when it moves.
 */
export function show(parent, ...children) {
  const fresh = document.createElement('div');
  add(fresh, children);
  const focused = document.activeElement;
  const inside = focused && focused !== parent && parent.contains(focused);
  const row = inside ? focused.closest('[data-key]') : null;
  const index = row ? [...row.parentNode.children].indexOf(row) : -1;
  const rows = row?.parentNode;
  patch(parent, fresh);
  if (!inside || document.activeElement === focused) return;
  if (focused.isConnected) focused.focus({preventScroll: true});
  else if (rows?.isConnected) { // its row is gone: focus the row in its place
    const next = rows.children[Math.min(index, rows.children.length - 1)];
    next?.querySelector('a, button')?.focus({preventScroll: true});
  }
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined);

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function patch(parent, fresh) {
  const wanted = new Set();
  for (const node of fresh.childNodes) if (keyOf(node)) wanted.add(keyOf(node));
  const known = new Map();
  for (const node of [...parent.childNodes]) {
    const key = keyOf(node);
    if (!key) continue;
    if (wanted.has(key) && !known.has(key)) known.set(key, node);
    else node.remove();
  }
  let cursor = parent.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = keyOf(next);
    const found = key ? known.get(key) : cursor && !keyOf(cursor) ? cursor : null;
    known.delete(key); // a second node with this key is another one
    if (!found || !alike(found, next)) {
      parent.insertBefore(next, cursor);
      if (found && found === cursor) {
        cursor = cursor.nextSibling;
        found.remove();
      }
      continue;
    }
    if (found !== cursor) {
      if (cursor && keyOf(cursor) && found === cursor.nextSibling) move(parent, cursor, null); // one row moves down, instead of all others up
      else move(parent, found, cursor);
    }
    cursor = found.nextSibling;
    update(found, next);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

/** Moves a child of parent; it keeps its focus if the browser supports that. */
function move(parent, node, before) {
  if (parent.moveBefore) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}

function update(node, next) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== next.data) node.data = next.data;
    return;
  }
  const person = node.nodeName === 'DETAILS' ? 'open' : ''; // the user opened or closed it
  for (const {name} of [...node.attributes]) if (!next.hasAttribute(name) && name !== person) node.removeAttribute(name);
  for (const {name, value} of next.attributes) if (node.getAttribute(name) !== value && name !== person) node.setAttribute(name, value);
  patch(node, next);
}
