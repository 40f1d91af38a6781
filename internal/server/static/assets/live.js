// The event stream. It reconnects by itself, and ends while the page is hidden: a browser opens six connections to a host, and
// the hidden tabs would take them all.
import {request, abandoned} from './api.js';
import {parser} from './sse.js';

const silence = 45_000; // milliseconds; the service sends something every 15 s
const longest = 15_000;

/**
 * Reads the stream for ever. It calls on.open() after each connect, on.status and on.change for each event, and on.lost(error)
 * after each end; error is null if the service ended the stream. It returns a function that makes a waiting try start now.
 */
export function follow(on) {
  let hurry = () => {};
  const wait = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    hurry = () => { clearTimeout(timer); resolve(); };
  });
  (async () => {
    for (let failures = 0; ;) {
      while (document.hidden) await new Promise((resolve) => { document.addEventListener('visibilitychange', resolve, {once: true}); });
      let error = null;
      try {
        await read({...on, open() { failures = 0; on.open(); }});
      } catch (thrown) {
        if (!abandoned(thrown)) error = thrown;
      }
      if (document.hidden) continue;
      on.lost(error);
      failures++;
      const backoff = Math.min(longest, 500 * 2 ** Math.min(failures, 6));
      await wait(Math.max(1000 * Math.min(error?.retryAfter ?? 0, 10), backoff * (0.75 + Math.random() / 4)));
    }
  })();
  return () => hurry();
}

async function read(on) {
  const stop = new AbortController();
  const hide = () => { if (document.hidden) stop.abort(); };
  document.addEventListener('visibilitychange', hide);
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => stop.abort(), silence);
  };
  try {
    const response = await request('api/v1/stream', {signal: stop.signal, headers: {Accept: 'text/event-stream'}});
    on.open();
    alive();
    const feed = parser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      alive();
      for (const {event, data} of feed(value)) {
        if (event === 'status') on.status(JSON.parse(data));
        else if (event === 'change') on.change(JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(watchdog);
    document.removeEventListener('visibilitychange', hide);
    stop.abort();
  }
}
