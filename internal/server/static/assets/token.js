// The dialog that asks for a token.
import {tryToken} from './api.js';
import {byId} from './dom.js';
import {sentence} from './format.js';

/** Asks until the service accepts a token, and returns it; null if the user closes the dialog. */
export function askForToken(error, had) {
  const dialog = byId('token-dialog');
  const form = byId('token-form');
  const field = byId('token');
  const button = byId('token-submit');
  const say = (text) => { byId('token-error').textContent = text; };
  say(had && error?.status === 401 ? 'The cluster does not accept the token any more. It may be expired or revoked.' : '');
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
        say('This is not a token: it has invalid characters. Paste only the output of the command.');
        return;
      }
      button.disabled = true;
      say('Checking the token…');
      const refused = await tryToken(token);
      button.disabled = false;
      if (!dialog.open) return;
      if (!refused || refused.status === 403 || refused.status === 503) { // the user is known; the views show the rest
        done(token);
        return;
      }
      say(refused.status === 401 ? `This token is not accepted. ${sentence(refused.message)}` : `The token cannot be checked now. ${sentence(refused.message)}`);
      field.select();
    };
    form.addEventListener('submit', submit);
    dialog.addEventListener('cancel', cancel);
  });
}
