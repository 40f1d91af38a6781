// Copies text to the clipboard.

/** Copies text and shows the result in the span of the button. */
export async function copy(text, button) {
  const word = button.querySelector('span');
  let done = true;
  try {
    await navigator.clipboard.writeText(text); // works only over TLS or on localhost
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
