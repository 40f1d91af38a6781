// Reads server-sent events from the chunks of a stream. EventSource cannot send an Authorization header; fetch can.

/**
 * Returns a parser: a function that takes the next piece of text and returns the complete events as {event, data}. It reads
 * what this service sends: lines that end with \n, and data of one line.
 */
export function parser() {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    return blocks.map((block) => ({event: field(block, 'event'), data: field(block, 'data')})).filter(({data}) => data);
  };
}

const field = (block, name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
