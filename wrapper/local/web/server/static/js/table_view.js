// A list of objects as a table; the server sorts it and sends a page of it.
import { count } from "./format.js";
import { useAnswer } from "./hooks.js";
import { html, useState } from "./html.js";

const PAGE = 50;

/** @param {any} props */
export function TableView({ run, path }) {
  const [start, setStart] = useState(0);
  const [sort, setSort] = useState({ column: "", down: false });
  const { answer, error } = useAnswer("view", { run, path, kind: "table", start, limit: PAGE, sort: sort.column, down: sort.down });
  if (error) return html`<p class="muted">${error}</p>`;
  if (!answer) return html`<p class="muted">Loading…</p>`;
  const choose = (/** @type {string} */ column) => {
    setStart(0);
    setSort({ column, down: sort.column === column && !sort.down });
  };
  const last = Math.min(start + PAGE, answer.total);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>
      <thead><tr>
        <th scope="col" class="muted number">#</th>
        ${answer.columns.map((/** @type {string} */ column, /** @type {number} */ place) => html`<th
          scope="col"
          class=${answer.numeric[place] ? "number" : ""}
          aria-sort=${sort.column !== column ? "none" : sort.down ? "descending" : "ascending"}
        ><button onClick=${() => choose(column)}>${column}${sort.column === column && html`<span aria-hidden="true">${sort.down ? " ↓" : " ↑"}</span>`}</button></th>`)}
      </tr></thead>
      <tbody>
        ${answer.rows.map((/** @type {any} */ row) => html`<tr key=${row.number}>
          <td class="muted number">${row.number}</td>
          ${row.cells.map((/** @type {string} */ cell, /** @type {number} */ place) => html`<td class=${answer.numeric[place] ? "number" : ""} title=${cell.length > 40 ? cell : undefined}>${cell}</td>`)}
        </tr>`)}
      </tbody>
    </table></div>
    <div class="row small muted">
      <span class="number">${count(start)}–${count(last - 1)} of ${count(answer.total)}${answer.hidden ? `, ${count(answer.hidden)} more columns in the tree` : ""}</span>
      ${answer.total > PAGE && html`
        <button disabled=${start === 0} onClick=${() => setStart(Math.max(0, start - PAGE))}>Previous</button>
        <button disabled=${last >= answer.total} onClick=${() => setStart(start + PAGE)}>Next</button>`}
    </div>`;
}
