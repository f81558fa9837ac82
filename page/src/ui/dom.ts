// The few things that the page does to its document. Text goes in as text, never as markup.

type Made<T> = abstract new (...args: never[]) => T;

/** An element that the page's own HTML promises. */
export function find<T extends HTMLElement>(id: string, kind: Made<T>): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html has no ${id}`);
  return element;
}

export function make(tag: string, text = '', className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export const fill = (element: HTMLElement, ...children: readonly Node[]): void =>
  element.replaceChildren(...children);

/**
 * A button that opens a panel and goes there. Not a link: its address would stay in the browser's
 * history, and tell apart who wrote.
 */
export function goTo(button: string, panel: string): void {
  find(button, HTMLButtonElement).addEventListener('click', () => {
    const details = find(panel, HTMLDetailsElement);
    details.open = true;
    details.scrollIntoView();
    details.querySelector('summary')?.focus({ preventScroll: true });
  });
}

export const paragraph = (id: string): HTMLElement => find(id, HTMLElement);
