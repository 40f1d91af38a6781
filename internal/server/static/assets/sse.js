// Reads server-sent events from the chunks of a stream. EventSource cannot send an Authorization header; fetch can.

/** Returns a parser: a function that takes the next piece of text and returns the complete events as {event, data, id}. */
export function parser() {
  let rest = '';
  let event = '';
  let data = [];
  let id = '';
  return function feed(text) {
    const done = [];
    rest += text;
    for (;;) {
      const end = rest.search(/[\r\n]/);
      // A \r at the end may be the first half of \r\n.
      if (end < 0 || (rest[end] === '\r' && end === rest.length - 1)) return done;
      const line = rest.slice(0, end);
      rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1));
      if (line === '') {
        if (data.length > 0) done.push({event: event || 'message', data: data.join('\n'), id});
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue; // a comment, which keeps the connection alive
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
      else if (field === 'id') id = value;
    }
  };
}
