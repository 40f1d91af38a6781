// Copying a text, as far as the browser lets a page.

/** Copies text and says so on the button, in its span. */
export async function copy(text, button) {
  const word = button.querySelector('span');
  let done = true;
  try {
    await navigator.clipboard.writeText(text); // only over TLS and on this machine itself
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'hidden';
    document.body.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
    button.focus();
  }
  word.textContent = done ? 'Copied' : 'Select it';
  setTimeout(() => { word.textContent = 'Copy'; }, 2000);
}
