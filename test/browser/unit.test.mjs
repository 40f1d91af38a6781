// The parts of the page that need no browser.
import {test} from 'node:test';
import assert from 'node:assert/strict';
import {parser} from '../../internal/server/static/assets/sse.js';
import {diff, lines, split} from '../../internal/server/static/assets/diff.js';
import {ago, size, sentence} from '../../internal/server/static/assets/format.js';

test('server-sent events are read, however they are cut', () => {
  const text = ': hello\nretry: 3000\n\nevent: change\nid: 7\ndata: {"a":1}\n\n: keep-alive\n\nevent: status\ndata: event: ünï\n\n';
  const want = [{event: 'change', data: '{"a":1}'}, {event: 'status', data: 'event: ünï'}];
  for (let cut = 1; cut <= text.length; cut++) {
    const feed = parser();
    const got = [];
    for (let at = 0; at < text.length; at += cut) got.push(...feed(text.slice(at, at + cut)));
    assert.deepEqual(got, want, `cut into pieces of ${cut}`);
  }
});

/** Makes b out of a and the runs of their diff; fails where the runs do not fit. */
function apply(a, b, runs) {
  let inA = 0;
  let inB = 0;
  for (const r of runs) {
    if (r.kind !== 'new') assert.equal(r.from, inA);
    if (r.kind === 'same') {
      assert.equal(r.other, inB);
      assert.deepEqual(a.slice(r.from, r.to), b.slice(inB, inB + r.to - r.from));
    }
    if (r.kind === 'new') assert.equal(r.from, inB);
    if (r.kind !== 'new') inA = r.to;
    if (r.kind !== 'old') inB += r.to - r.from;
  }
  assert.equal(inA, a.length);
  assert.equal(inB, b.length);
}

test('a diff leads from one text to the other, with as few lines as there can be', () => {
  const changed = (runs) => runs.filter((r) => r.kind !== 'same').reduce((n, r) => n + r.to - r.from, 0);
  for (const [a, b, want] of [['', '', 0], ['abc', '', 3], ['', 'abc', 3], ['abc', 'abc', 0], ['abcabba', 'cbabac', 5], ['abcdef', 'abxdef', 2], ['aab', 'ab', 1], ['xaxbx', 'ab', 3]]) {
    const runs = diff([...a], [...b]);
    apply([...a], [...b], runs);
    assert.equal(changed(runs), want, `${a} to ${b}`);
  }
  let seed = 7;
  const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return seed % n; };
  for (let round = 0; round < 300; round++) {
    const a = Array.from({length: random(40)}, () => String(random(6)));
    const b = Array.from({length: random(40)}, () => String(random(6)));
    const runs = diff(a, b);
    apply(a, b, runs);
    const table = Array.from({length: a.length + 1}, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    assert.equal(changed(runs), a.length + b.length - 2 * table[0][0]);
  }
});

test('a diff of large texts ends soon', () => {
  const line = (i) => `      name: team-${i}/prometheus`;
  const a = Array.from({length: 30_000}, (_, i) => line(i));
  const few = a.flatMap((l, i) => (i % 100 === 0 ? [`${l} changed`] : [l]));
  const all = a.map((l) => `${l} changed`);
  const many = a.map((l, i) => (i % 10 === 0 ? `${l} changed` : l)); // more than are looked for line by line
  const moved = [...a.slice(15_000), ...a.slice(0, 15_000)];
  for (const [name, b, added] of [['few changes', few, 300], ['many changes', many, 3000], ['all changed', all, 30_000], ['halves swapped', moved, 15_000]]) {
    apply(a, b, diff(a, b));
    const begin = performance.now();
    const result = lines(a.join('\n'), b.join('\n'));
    const took = performance.now() - begin;
    assert.equal(result.added, added, name);
    assert.ok(result.lines.length <= 2000, `${name}: ${result.lines.length} lines are shown`);
    assert.equal(result.lines.length + result.more > 2000, result.more > 0);
    assert.ok(took < 3000, `${name} took ${took} ms`);
  }
});

test('a diff shows changes with the lines around them', () => {
  const a = Array.from({length: 20}, (_, i) => `line ${i + 1}`).join('\n');
  const {lines: got} = lines(a, a.replace('line 10', 'another'));
  assert.deepEqual(got.map((l) => (l.kind === 'gap' ? `… ${l.count}` : `${l.kind} ${l.a ?? '-'} ${l.b ?? '-'} ${l.text}`)), [
    '… 6', 'same 7 7 line 7', 'same 8 8 line 8', 'same 9 9 line 9', 'old 10 - line 10', 'new - 10 another', 'same 11 11 line 11', 'same 12 12 line 12', 'same 13 13 line 13', '… 7',
  ]);
  assert.deepEqual(split('a\nb\n'), ['a', 'b']);
});

test('times, sizes and sentences read well', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  for (const [seconds, want] of [[-3, 'just now'], [2, 'just now'], [59, '59 s ago'], [60, '1 min ago'], [3599, '59 min ago'], [7200, '2 h ago'], [86400 * 3, '3 days ago']]) assert.equal(ago(now - seconds * 1000, now), want);
  assert.deepEqual([size(80), size(2048), size(900 * 1024)], ['80 B', '2.0 KiB', '900 KiB']);
  assert.deepEqual([sentence('it works'), sentence('Why?'), sentence('overrides.yaml:3: not valid'), sentence('')], ['It works.', 'Why?', 'overrides.yaml:3: not valid.', '']);
});
