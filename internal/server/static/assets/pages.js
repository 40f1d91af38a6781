// A list that is read page by page.
import {latest, abandoned} from './api.js';
import {h, show, byId} from './dom.js';
import {number, plural} from './format.js';
import {failure, waiting} from './parts.js';

const size = 100;

/** Makes the list at path of these names, which is shown in the element id; render shows an answer. */
export function pages({id, path, names, render}) {
  const read = latest();
  let tokens = ['']; // the continue values of this page and those before it
  let loaded = null; // the answer that is shown

  async function refresh(filters = {}) {
    if (!loaded) show(byId(id), waiting(`the ${names}`));
    try {
      loaded = await read(path, {...filters, limit: size, continue: tokens.at(-1)});
      if (loaded[names.toLowerCase()].length > 0 || tokens.length === 1) render(loaded);
      else await restart(filters); // the list is shorter now
    } catch (error) {
      if (abandoned(error)) throw error;
      if (error.status === 400 && tokens.length > 1) return restart(filters); // the continue value is not valid any more
      if (!loaded || error.status === 400 || error.status === 403) {
        loaded = null;
        show(byId(id), failure(error));
      }
      throw error;
    }
  }

  const first = () => { tokens = ['']; };

  function restart(filters) {
    first();
    return refresh(filters);
  }

  /** Goes a step of 1 or -1; the focus goes to the first thing on that page. */
  function go(step, filters) {
    if (step > 0) tokens.push(loaded.continue);
    else tokens.pop();
    window.scrollTo(0, 0);
    refresh(filters).then(() => byId(id).querySelector('tbody a, li a, li summary')?.focus({preventScroll: true}), () => {});
  }

  /** The place in the list, with buttons to the pages before and after; action is what they do. */
  function pager(count, action) {
    const before = (tokens.length - 1) * size;
    const button = (key, step, word) => h('button', {type: 'button', 'data-key': key, 'data-do': action, 'data-step': step}, word);
    return h('nav', {class: 'pager', 'aria-label': `Pages of ${names}`},
      h('span', {class: 'muted', role: 'status'}, count < loaded.count ? `${number(before + 1)} to ${number(before + count)} of ${number(loaded.count)}` : plural(count, 'entry', 'entries')),
      before > 0 && button('prev', -1, 'Previous'), loaded.continue && button('next', 1, 'Next'));
  }

  return {refresh, first, go, pager};
}
