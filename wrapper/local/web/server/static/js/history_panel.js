// The runs that were kept: searched, shown, compared.
import { clock, count, duration, plural } from "./format.js";
import { useAnswer, useTopic } from "./hooks.js";
import { html, useState } from "./html.js";

const STATUSES = ["done", "failed", "stopped", "crashed", "interrupted"];
const PAGE = 50;

/** @param {any} props */
export function HistoryPanel({ shown, onShow, onCompare }) {
  const version = useTopic("history");
  const newest = useTopic("run");
  const [text, setText] = useState("");
  const [status, setStatus] = useState("");
  const [limit, setLimit] = useState(PAGE);
  // The version makes it ask again when a run begins or has ended.
  const { answer } = useAnswer("history", { text, status, start: 0, limit, version });
  const total = answer?.total ?? 0;
  return html`<section class="panel history" aria-label="History">
    <header><h2>History</h2><span class="muted small push">${plural(total, "run")}</span></header>
    <div class="row">
      <input
        type="search"
        id="history-search"
        placeholder="Search inputs, results, logs"
        aria-label="Search the history"
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.target.value)}
      />
      <select aria-label="Status" value=${status} onChange=${(/** @type {any} */ event) => setStatus(event.target.value)}>
        <option value="">any status</option>
        ${STATUSES.map((each) => html`<option value=${each}>${each}</option>`)}
      </select>
    </div>
    ${answer && answer.runs.length === 0 && html`<p class="muted small">No runs.</p>`}
    <ul>
      ${answer?.runs.map((/** @type {any} */ run) => html`<li key=${run.id} class=${run.id === shown ? "shown" : ""}>
        <a
          href=${`/runs/${run.id}`}
          aria-current=${run.id === shown ? "true" : undefined}
          onClick=${(/** @type {MouseEvent} */ event) => {
            if (event.ctrlKey || event.metaKey) return;
            event.preventDefault();
            onShow(run.id === newest?.id ? null : run.id);
          }}
        >
          <span class=${`state ${run.status}`}>${run.status}</span>
          <span class="muted">#${run.id}</span>
          <span class="muted number">${duration(run.seconds)}</span>
          <span class="text">${run.input}</span>
          <span class="text muted">${run.summary || clock(run.began)}</span>
        </a>
        ${run.id !== shown && run.seconds !== null && html`<button class="quiet small" onClick=${() => onCompare(run.id)} aria-label=${`Compare with run ${run.id}`}>Compare</button>`}
      </li>`)}
    </ul>
    ${total > limit && html`<button class="quiet" onClick=${() => setLimit(limit + PAGE)}>Show more of ${count(total)}</button>`}
  </section>`;
}
