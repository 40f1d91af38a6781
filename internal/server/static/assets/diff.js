// What differs between two texts, by lines, in a bounded time: texts that differ in very many places are compared between the
// lines that each has but once, and what has none of these is shown as one block that was replaced.

/** How many differing lines are looked for, line by line; the time and memory of it grow with its square. */
export const bound = 1500;

/**
 * Compares. Returns [{kind: 'same'|'old'|'new', from, to}] in order: 'same' and 'old' are lines [from, to) of a, 'new' of b;
 * 'same' has other, where it begins in b.
 */
export function diff(a, b, limit = bound) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) endA--, endB--;
  const runs = [];
  push(runs, 'same', 0, start, 0);
  middle(runs, a, b, start, endA, start, endB, limit);
  push(runs, 'same', endA, a.length, endB);
  return runs;
}

function push(runs, kind, from, to, other) {
  if (from >= to) return;
  const last = runs.at(-1);
  if (last && last.kind === kind && last.to === from) last.to = to;
  else runs.push(kind === 'same' ? {kind, from, to, other} : {kind, from, to});
}

// The greedy algorithm of Myers (An O(ND) Difference Algorithm, 1986), with the furthest points of each round kept for the
// way back.
function middle(runs, a, b, fromA, toA, fromB, toB, limit) {
  const n = toA - fromA;
  const m = toB - fromB;
  if (n > 0 && m > 0) {
    const rounds = furthest(a, b, fromA, fromB, n, m, Math.min(n + m, limit));
    if (rounds) {
      walkBack(runs, rounds, n, m, fromA, fromB);
      return;
    }
    const anchors = unique(a, b, fromA, toA, fromB, toB);
    for (const [x, y] of anchors) {
      middle(runs, a, b, fromA, x, fromB, y, limit);
      push(runs, 'same', x, x + 1, y);
      fromA = x + 1;
      fromB = y + 1;
    }
    if (anchors.length > 0) {
      middle(runs, a, b, fromA, toA, fromB, toB, limit);
      return;
    }
  }
  push(runs, 'old', fromA, toA);
  push(runs, 'new', fromB, toB);
}

// The lines that are once in a and once in b, as pairs of their numbers: the longest row of these that goes up in both.
function unique(a, b, fromA, toA, fromB, toB) {
  const seen = new Map(); // line -> [how often in a, where, how often in b, where]
  for (let x = fromA; x < toA; x++) {
    const s = seen.get(a[x]);
    if (s) s[0]++;
    else seen.set(a[x], [1, x, 0, 0]);
  }
  for (let y = fromB; y < toB; y++) {
    const s = seen.get(b[y]);
    if (s) {
      s[2]++;
      s[3] = y;
    }
  }
  const tails = []; // the pair that ends the best row of each length, with the pair before it
  for (const [times, x, others, y] of seen.values()) { // in the order of a
    if (times !== 1 || others !== 1) continue;
    let low = 0;
    for (let high = tails.length; low < high;) {
      const half = (low + high) >> 1;
      if (tails[half].y < y) low = half + 1;
      else high = half;
    }
    tails[low] = {x, y, before: tails[low - 1]};
  }
  const pairs = [];
  for (let p = tails.at(-1); p; p = p.before) pairs.push([p.x, p.y]);
  return pairs.reverse();
}

// Round d keeps how far each diagonal -d…d got; null if the end was not reached within the limit.
function furthest(a, b, fromA, fromB, n, m, limit) {
  const rounds = [];
  let last = Int32Array.of(0, 0, 0); // diagonals -1, 0, 1
  for (let d = 0; d <= limit; d++) {
    const now = new Int32Array(2 * d + 3); // one more on each side, for the next round
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(last, d - 1, k - 1) < at(last, d - 1, k + 1));
      let x = d === 0 ? 0 : down ? at(last, d - 1, k + 1) : at(last, d - 1, k - 1) + 1;
      let y = x - k;
      while (x < n && y < m && a[fromA + x] === b[fromB + y]) x++, y++;
      now[k + d + 1] = x;
      if (x >= n && y >= m) {
        rounds.push(now);
        return rounds;
      }
    }
    rounds.push(now);
    last = now;
  }
  return null;
}

const at = (round, d, k) => round[k + d + 1];

function walkBack(runs, rounds, n, m, fromA, fromB) {
  const steps = []; // backwards: [kind, from, to, other]
  let x = n;
  let y = m;
  for (let d = rounds.length - 1; d >= 0; d--) {
    const k = x - y;
    let beforeX = 0;
    let beforeY = 0;
    let down = false;
    if (d > 0) {
      const last = rounds[d - 1];
      down = k === -d || (k !== d && at(last, d - 1, k - 1) < at(last, d - 1, k + 1));
      beforeX = down ? at(last, d - 1, k + 1) : at(last, d - 1, k - 1);
      beforeY = beforeX - (down ? k + 1 : k - 1);
    }
    const slide = d === 0 ? 0 : down ? beforeX : beforeX + 1; // where this round's run of equal lines begins
    if (x > slide) steps.push(['same', slide, x, y - (x - slide)]);
    if (d > 0) steps.push(down ? ['new', beforeY, beforeY + 1] : ['old', beforeX, beforeX + 1]);
    x = beforeX;
    y = beforeY;
  }
  for (const [kind, from, to, other] of steps.reverse()) {
    if (kind === 'new') push(runs, kind, fromB + from, fromB + to);
    else push(runs, kind, fromA + from, fromA + to, kind === 'same' ? fromB + other : undefined);
  }
}

/**
 * The lines to show: changes with context lines around them, [{kind: 'same'|'old'|'new'|'gap', text, a, b}], a and b the line
 * numbers, counted from 1, null where there is none; a gap has count. At most most lines; more says how many were left out.
 */
export function lines(before, after, {context = 3, most = 2000} = {}) {
  const a = split(before);
  const b = split(after);
  const runs = diff(a, b);
  const out = [];
  let added = 0;
  let removed = 0;
  runs.forEach((run, i) => {
    if (run.kind === 'same') {
      const head = i === 0 ? 0 : context;
      const tail = i === runs.length - 1 ? 0 : context;
      const length = run.to - run.from;
      for (let at = 0; at < length; at++) {
        if (at >= head && at < length - tail && length > head + tail + 1) {
          out.push({kind: 'gap', count: length - head - tail});
          at = length - tail - 1;
        } else out.push({kind: 'same', text: a[run.from + at], a: run.from + at + 1, b: run.other + at + 1});
      }
    } else if (run.kind === 'old') {
      removed += run.to - run.from;
      for (let at = run.from; at < run.to; at++) out.push({kind: 'old', text: a[at], a: at + 1, b: null});
    } else {
      added += run.to - run.from;
      for (let at = run.from; at < run.to; at++) out.push({kind: 'new', text: b[at], a: null, b: at + 1});
    }
  });
  return {lines: out.slice(0, most), more: Math.max(0, out.length - most), added, removed};
}

/** The lines of a text; a line break at its end begins no new one. */
export function split(text) {
  if (text === '') return [];
  const list = text.split('\n');
  if (list.at(-1) === '') list.pop();
  return list;
}
