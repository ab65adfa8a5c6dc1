/* Small helpers to build a page by hand. */

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void)>>;

/** Makes an element: functions become listeners, true an empty attribute, false none. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (name === 'style' && value !== false) element.style.cssText = value; /* the pages' policy forbids the attribute */
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child): child is Node | string => child !== null));
  return element;
}

/** An element from a constant piece of SVG; never from anything that came from outside. */
export function svg(markup: string): SVGSVGElement {
  const holder = document.createElement('template');
  holder.innerHTML = markup;
  return holder.content.firstElementChild as SVGSVGElement;
}

/** Sets text only when it differs, so that nothing is laid out for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
