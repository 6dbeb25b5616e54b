// Everything by keyboard, and the list of keys.
import { html, useEffect, useRef } from "./html.js";

/** @type {[string, string][]} */
const KEYS = [
  ["Ctrl+Enter", "run with the input of the editor"],
  ["x", "stop the run"],
  ["i", "go to the input"],
  ["/", "search the history"],
  ["l", "search the log"],
  ["?", "show this list"],
];

/** @param {{run: () => void, stop: () => void, keys: () => void}} actions */
export function useKeys(actions) {
  const newest = useRef(actions);
  newest.current = actions;
  useEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        newest.current.run();
        return;
      }
      const target = /** @type {HTMLElement} */ (event.target);
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || event.ctrlKey || event.metaKey || event.altKey) {
        if (event.key === "Escape") target.blur();
        return;
      }
      /** @type {Record<string, () => void>} */
      const ways = {
        x: newest.current.stop,
        "?": newest.current.keys,
        i: () => focus("input-editor"),
        "/": () => focus("history-search"),
        l: () => focus("log-search"),
      };
      if (ways[event.key]) {
        event.preventDefault();
        ways[event.key]();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

/** @param {string} id */
function focus(id) {
  document.getElementById(id)?.focus();
}

/** @param {{onClose: () => void}} props */
export function KeysDialog({ onClose }) {
  return html`<${Dialog} title="Keyboard" onClose=${onClose}>
    <dl class="keys">
      ${KEYS.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}
    </dl>
  <//>`;
}

/** @param {{title: string, onClose: () => void, children?: any}} props */
export function Dialog({ title, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => element.current?.showModal(), []);
  return html`<dialog ref=${element} onClose=${onClose} aria-label=${title}>
    <h2>${title}</h2>
    ${children}
    <div class="row"><button class="push" onClick=${() => element.current?.close()}>Close</button></div>
  </dialog>`;
}
