// Two runs side by side: only what differs.
import { duration, size } from "./format.js";
import { useAnswer } from "./hooks.js";
import { html } from "./html.js";

/** @param {any} props */
export function CompareView({ left, right, onClose }) {
  const { answer, error } = useAnswer("compare", { left, right });
  return html`<section class="panel" aria-label="Comparison" data-test="comparison">
    <header>
      <h2>Run ${left} and run ${right}</h2>
      <button class="quiet push" onClick=${onClose}>Close</button>
    </header>
    ${error && html`<p class="notice">${error}</p>`}
    ${answer && html`<div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">What</th><th scope="col">Run ${left}</th><th scope="col">Run ${right}</th></tr></thead>
      <tbody>
        <tr><td>status</td><td>${answer.left.status}</td><td>${answer.right.status}</td></tr>
        <tr><td>time</td><td>${duration(answer.left.seconds)}</td><td>${duration(answer.right.seconds)}</td></tr>
        <tr><td>memory at most</td><td>${size(answer.left.peakMemory)}</td><td>${size(answer.right.peakMemory)}</td></tr>
        <${Rows} title="input" part=${answer.input} />
        <${Rows} title="result" part=${answer.result} />
        ${(answer.left.error || answer.right.error) && html`<tr><td>error</td><td class="wrap">${answer.left.error?.message ?? "–"}</td><td class="wrap">${answer.right.error?.message ?? "–"}</td></tr>`}
      </tbody>
    </table></div>`}
  </section>`;
}

/** @param {any} props */
function Rows({ title, part }) {
  if (part.rows.length === 0) return html`<tr><td>${title}</td><td colspan="2" class="muted">the same</td></tr>`;
  return html`${part.rows.map((/** @type {any} */ row) => html`<tr>
      <td><code>${title}${row.path}</code></td>
      <td class="wrap">${row.left ?? "missing"}</td>
      <td class="wrap">${row.right ?? "missing"}</td>
    </tr>`)}
    ${part.more && html`<tr><td colspan="3" class="muted">and more</td></tr>`}`;
}
