// The stream of what happens, kept open: it comes back by itself, sooner or later, whatever went away.
import {request, abandoned} from './api.js';
import {parser} from './sse.js';

const silence = 45_000; // milliseconds; the service says something every 15 s
const longest = 15_000;

/**
 * Follows the stream for ever. on.open() is called whenever it is there again, on.status and on.change with what comes, and
 * on.lost(error) when it is gone; error is null where it simply ended. Returns a function that hurries a waiting try.
 */
export function follow(on) {
  let hurry = () => {};
  const wait = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    hurry = () => { clearTimeout(timer); resolve(); };
  });
  (async () => {
    for (let failures = 0; ;) {
      let error = null;
      try {
        await read({...on, open() { failures = 0; on.open(); }});
      } catch (thrown) {
        if (!abandoned(thrown)) error = thrown;
      }
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
    stop.abort();
  }
}
