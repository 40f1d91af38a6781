// The texts for times, numbers, verdicts, health and kinds of changes.

/** The verdicts in the order of the filters. */
export const verdicts = {
  accepted: {word: 'Accepted', help: 'published, or ready to be'},
  unavailable: {word: 'Unavailable', help: 'recognised, but it does not work now'},
  duplicate: {word: 'Duplicate', help: 'another Service in front of the same backend is used'},
  unconfirmed: {word: 'Unconfirmed', help: 'weak evidence without proof'},
  rejected: {word: 'Rejected', help: 'not a backend, or excluded'},
};

/** The kinds of changes: word, icon and tone. */
export const kinds = {
  added: {word: 'Added', icon: 'plus', tone: 'good'},
  changed: {word: 'Changed', icon: 'swap', tone: 'info'},
  withdrawn: {word: 'Withdrawn', icon: 'minus', tone: 'bad'},
  published: {word: 'Published', icon: 'write', tone: 'good'},
  repaired: {word: 'Repaired', icon: 'repair', tone: 'info'},
  failed: {word: 'Publishing failed', icon: 'warn', tone: 'bad'},
  recovered: {word: 'Publishing works again', icon: 'accepted', tone: 'good'},
  references: {word: 'Credentials', icon: 'swap', tone: 'warn'},
  'overrides-invalid': {word: 'Overrides invalid', icon: 'warn', tone: 'bad'},
  'overrides-valid': {word: 'Overrides valid', icon: 'accepted', tone: 'good'},
  'annotation-invalid': {word: 'Annotation invalid', icon: 'warn', tone: 'warn'},
  'annotation-valid': {word: 'Annotation valid', icon: 'accepted', tone: 'good'},
  'source-failed': {word: 'Reading failed', icon: 'warn', tone: 'bad'},
  'source-recovered': {word: 'Reading works again', icon: 'accepted', tone: 'good'},
  leadership: {word: 'Leadership', icon: 'leader', tone: 'info'},
  agent: {word: 'HolmesGPT', icon: 'accepted', tone: 'good'},
};

export const verdict = (name) => verdicts[name] ?? {word: name, help: ''};
export const kind = (name) => kinds[name] ?? {word: name, icon: 'none', tone: 'info'};

const digits = new Intl.NumberFormat('en');
export const number = (n) => digits.format(n ?? 0);

/** "1 Service", "2 Services". */
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** A size in bytes, in KiB from 1024 bytes. */
export function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
}

/** How long ago: "just now", "12 s ago", "5 min ago". now and at are milliseconds. */
export function ago(at, now = Date.now()) {
  const s = Math.round((now - at) / 1000);
  if (!Number.isFinite(s)) return '';
  if (s < 5) return 'just now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} days ago`;
}

const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const day = new Intl.DateTimeFormat('en-GB', {weekday: 'long', day: 'numeric', month: 'long'});
const full = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'long'});

const minute = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const dayAndMinute = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'});

/** A time of day, with the date if it is not today. */
export function minuteOf(iso, now = new Date()) {
  const at = new Date(iso);
  return (at.toDateString() === now.toDateString() ? minute : dayAndMinute).format(at);
}

export const clockOf = (iso) => clock.format(new Date(iso));
export const dayOf = (iso) => day.format(new Date(iso));
export const fullOf = (iso) => full.format(new Date(iso));
export const isTime = (iso) => typeof iso === 'string' && !Number.isNaN(Date.parse(iso)) && !iso.startsWith('0001-');

/** A Service's health as icon, tone and words. */
export function health(service) {
  const {probe, cause} = service.metadata ?? {};
  if (service.healthy === null || service.healthy === undefined) return {icon: 'none', tone: 'quiet', word: service.type ? 'not probed' : ''};
  if (service.healthy) {
    return probe === 'auth-required'
      ? {icon: 'key', tone: 'good', word: 'up, requires credentials'}
      : {icon: 'accepted', tone: 'good', word: 'healthy'};
  }
  return {icon: 'unavailable', tone: 'bad', word: cause ? `${words(probe)} (${cause})` : words(probe) || 'not healthy'};
}

const words = (outcome) => ({'wrong-identity': 'something else answers'}[outcome] ?? (outcome ?? '').replaceAll('-', ' '));

/** A message as a sentence. A name at its beginning, such as a file name, stays as it is. */
export function sentence(text) {
  if (!text) return '';
  const begin = /^[a-z]+[ ,;]/.test(text) ? text.charAt(0).toUpperCase() : text.charAt(0);
  return begin + text.slice(1) + (/[.!?:]$/.test(text) ? '' : '.');
}

/** The URL part of this page for a Service. */
export const serviceHash = (namespace, name) => `#/services/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
