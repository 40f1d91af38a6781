// The dialog that asks for a token.
import {tryToken} from './api.js';
import {byId} from './dom.js';
import {sentence} from './format.js';

/** Asks until there is a token that the service accepts, which it returns; null if the person closes the dialog. */
export function askForToken(error, had) {
  const dialog = byId('token-dialog');
  const form = byId('token-form');
  const field = byId('token');
  const button = byId('token-submit');
  const say = (text) => { byId('token-error').textContent = text; };
  say(had && error?.status === 401 ? 'The token that was used is not accepted any more: it may have expired or been revoked.' : '');
  field.value = '';
  if (!dialog.open) dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    const done = (token) => {
      form.removeEventListener('submit', submit);
      dialog.removeEventListener('cancel', cancel);
      field.value = '';
      dialog.close();
      resolve(token);
    };
    const cancel = (event) => {
      event.preventDefault();
      done(null);
    };
    const submit = async (event) => {
      event.preventDefault();
      const token = field.value.trim().replace(/^Bearer\s+/i, '');
      if (token === '' || button.disabled) return;
      if (/[^!-~]/.test(token)) {
        say('That is no token: it has characters that no token has. Paste what the command printed, and nothing else.');
        return;
      }
      button.disabled = true;
      say('Trying it…');
      const refused = await tryToken(token);
      button.disabled = false;
      if (!dialog.open) return;
      if (!refused || refused.status === 403 || refused.status === 503) { // who it is, is known; the rest shows in its place
        done(token);
        return;
      }
      say(refused.status === 401 ? `This token is not accepted. ${sentence(refused.message)}` : `It cannot be tried now. ${sentence(refused.message)}`);
      field.select();
    };
    form.addEventListener('submit', submit);
    dialog.addEventListener('cancel', cancel);
  });
}
