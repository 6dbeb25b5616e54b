// The calls of the code API, with their replies.
import { count, duration } from "./format.js";
import { html } from "./html.js";

/** @param {any} props */
export function CallsView({ facts }) {
  return html`<section class="panel" aria-label="Calls">
    <header><h2>Calls</h2><span class="muted small">${count(facts.calls.length + facts.moreCalls)}</span></header>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th scope="col">What</th><th scope="col">Input</th><th scope="col" class="number">Took</th><th scope="col">Reply</th></tr></thead>
      <tbody>
        ${facts.calls.map((/** @type {any} */ call) => html`<tr>
          <td>${call.kind} <strong>${call.name}</strong></td>
          <td class="mono" title=${call.input}>${call.input}</td>
          <td class="number">${call.ended === null ? "waiting" : duration(call.ended - call.began)}</td>
          <td class=${call.failed ? "mono state failed" : "mono"} title=${call.reply}>${call.reply ?? ""}</td>
        </tr>`)}
      </tbody>
    </table></div>
  </section>`;
}
