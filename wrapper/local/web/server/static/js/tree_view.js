// A value as a tree: parts are fetched when they are opened, a hundred at a time.
import { connection } from "./connection.js";
import { count } from "./format.js";
import { copy, toast } from "./hooks.js";
import { html, useState } from "./html.js";
import { Part } from "./result_view.js";

const PAGE = 100;

/** @param {any} props */
export function Tree({ run, page, path }) {
  const [parts, setParts] = useState(page.parts);
  if (page.parts.length === 0) return html`<pre class="whole" tabindex="0">${page.full ?? page.text}</pre>`;
  const more = async () => {
    try {
      const answer = await connection.ask("value", { run, path, start: parts.length, limit: PAGE });
      setParts([...parts, ...answer.parts]);
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
    }
  };
  return html`<ul class="tree">
    ${parts.map((/** @type {any} */ part, /** @type {number} */ place) => html`<${Branch} key=${place} run=${run} part=${part} path=${[...path, place]} />`)}
    ${parts.length < page.size && html`<li><button class="quiet" onClick=${more}>Show ${count(Math.min(PAGE, page.size - parts.length))} more of ${count(page.size)}</button></li>`}
  </ul>`;
}

/** @param {any} props */
function Branch({ run, part, path }) {
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [isOpen, setIsOpen] = useState(false);
  const [isDrawn, setIsDrawn] = useState(false);
  const opens = (part.type === "object" || part.type === "list") && part.size > 0;
  const isLong = part.type === "text" && part.size > 120;
  const ask = async () => {
    try {
      return await connection.ask("value", { run, path, start: 0, limit: PAGE });
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
      return null;
    }
  };
  const toggle = async () => {
    if (!isOpen && page === null) setPage(await ask());
    setIsOpen(!isOpen);
  };
  const copyPath = async () => {
    const answer = await ask();
    if (answer) copy(answer.path, answer.path);
  };
  return html`<li>
    <div class="line">
      ${opens || isLong
        ? html`<button class="open" aria-expanded=${isOpen} aria-label=${`${isOpen ? "Close" : "Open"} ${part.key}`} onClick=${toggle}>${isOpen ? "▾" : "▸"}</button>`
        : html`<span class="none"></span>`}
      <span class="key">${part.key}</span>
      <span class="text">${isOpen && opens ? "" : part.text}</span>
      ${opens && html`<span class="size">${count(part.size)}</span>`}
      ${path.length > 1 && part.views.length > 0 && html`<button class="quiet small" onClick=${() => setIsDrawn(!isDrawn)}>${part.views[0]}</button>`}
      <button class="quiet small copy" onClick=${copyPath} aria-label=${`Copy the path of ${part.key}`}>path</button>
    </div>
    ${isDrawn && html`<${Part} run=${run} path=${path} title="" views=${part.views} about="" />`}
    ${isOpen && page !== null && html`<${Tree} run=${run} page=${page} path=${path} />`}
  </li>`;
}
