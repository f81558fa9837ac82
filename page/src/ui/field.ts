// A field for text that is no form control. Chromium asks its maker's server about every textarea
// and input, when it appears and when it is focused, whatever `autocomplete` says: opening the
// panel for writing would be seen from outside. About editable text it asks nobody, and the
// session restore of browsers does not write it to disk.

import { find } from './dom.js';

export class Field {
  readonly #element: HTMLElement;

  constructor(id: string) {
    this.#element = find(id, HTMLElement);
    try {
      this.#element.contentEditable = 'plaintext-only';
    } catch {
      this.#element.contentEditable = 'true';
      this.#pasteAsText();
    }
  }

  /** What was typed, without line breaks at its end (an editable element may add one of its own);
   * half a character is what the browser shows in its place. */
  get text(): string {
    const typed = this.#element.innerText.replace(/\u00a0/g, ' ').replace(/\n+$/, '');
    return typed.replace(/\p{Surrogate}/gu, '\ufffd');
  }

  /** Put in from the page's own keys; no keyboard sees it. */
  set text(text: string) {
    this.#element.textContent = text;
  }

  clear(): void {
    this.text = '';
  }

  focus(): void {
    this.#element.focus();
  }

  set invalid(is: boolean) {
    this.#element.setAttribute('aria-invalid', String(is));
  }

  onInput(act: () => void): void {
    this.#element.addEventListener('input', act);
  }

  onFocus(act: () => void): void {
    this.#element.addEventListener('focus', act);
  }

  /** Older browsers would take over markup that is pasted or dropped. */
  #pasteAsText(): void {
    this.#element.addEventListener('paste', (event) => {
      event.preventDefault();
      document.execCommand('insertText', false, event.clipboardData?.getData('text/plain') ?? '');
    });
    this.#element.addEventListener('drop', (event) => event.preventDefault());
  }
}
