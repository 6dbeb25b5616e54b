// The result as what it is: each part that can be drawn is drawn, and all of it is in the tree.
import { count, number, plural, size } from "./format.js";
import { useAnswer } from "./hooks.js";
import { html, useState } from "./html.js";
import { HeatMap, Picture } from "./pictures.js";
import { Plot } from "./plot.js";
import { TableView } from "./table_view.js";
import { Tree } from "./tree_view.js";

const MOST_DRAWN = 6;
const LIMIT = 100 * 2 ** 20;

/** @param {any} props */
export function ResultView({ run, facts }) {
  const { answer, error } = useAnswer("value", { run, path: [], start: 0, limit: 100 });
  const parts = answer ? drawable(answer) : [];
  return html`<section class="panel" aria-label="Result" data-test="result">
    <header>
      <h2>Result</h2>
      ${answer && html`<span class="muted small">${kindOf(answer)}${facts.resultSize ? ` · ${size(facts.resultSize)} of HKube's ${size(LIMIT)}` : ""}</span>
        <a class="push small" href=${`/runs/${run}/result.json`} download>Download</a>`}
    </header>
    ${error && html`<p class="muted">${error}</p>`}
    ${parts.map((part) => html`<${Part} key=${part.path.join()} run=${run} ...${part} />`)}
    ${answer && (answer.parts.length > 0 || parts.length === 0) && html`<div class="part"><${Tree} run=${run} page=${answer} path=${[]} /></div>`}
  </section>`;
}

/** @param {any} answer */
function kindOf(answer) {
  if (answer.size === null) return answer.type;
  const unit = answer.type === "text" ? "character" : answer.type === "bytes" ? "byte" : answer.type === "object" ? "key" : "item";
  return `${answer.type}, ${plural(answer.size, unit)}`;
}

/**
 * The result itself, or the first parts of it, that are more than a tree.
 * @param {any} answer
 * @returns {{path: number[], title: string, views: string[], about: string}[]}
 */
function drawable(answer) {
  if (answer.views.length > 0) return [{ path: [], title: "", views: answer.views, about: kindOf(answer) }];
  if (answer.type !== "object" && answer.size > MOST_DRAWN) return [];
  return answer.parts
    .map((/** @type {any} */ part, /** @type {number} */ place) => ({ path: [place], title: part.key, views: part.views, about: kindOf(part) }))
    .filter((/** @type {any} */ part) => part.views.length > 0)
    .slice(0, MOST_DRAWN);
}

/**
 * One drawn part, with a choice of its views.
 * @param {any} props
 */
export function Part({ run, path, title, views, about }) {
  const kinds = views.flatMap((/** @type {string} */ view) => (view === "plot" ? ["line", "bars", "histogram"] : [view]));
  const [kind, setKind] = useState(kinds[0]);
  return html`<div class="part" data-test="part">
    <header>
      ${title && html`<h3><code>${title}</code></h3>`}
      ${title && html`<span class="muted small">${about}</span>`}
      ${kinds.length > 1 && html`<span class="row push" role="group" aria-label="View">
        ${kinds.map((/** @type {string} */ each) => html`<button class="small" aria-pressed=${each === kind} onClick=${() => setKind(each)}>${each}</button>`)}
      </span>`}
    </header>
    ${kind === "table" ? html`<${TableView} run=${run} path=${path} />` : html`<${Drawn} run=${run} path=${path} kind=${kind} />`}
  </div>`;
}

/** @param {any} props */
function Drawn({ run, path, kind }) {
  const view = ["line", "bars", "histogram"].includes(kind) ? "plot" : kind;
  const { answer, error } = useAnswer("view", { run, path, kind: view });
  if (error) return html`<p class="muted">${error}</p>`;
  if (!answer) return html`<p class="muted">Loading…</p>`;
  if (view === "plot" && answer.numbers) return html`<${Numbers} answer=${answer} kind=${kind} />`;
  if (view === "heat map" && answer.rows) return html`<${HeatMap} answer=${answer} />`;
  if (view === "image") return html`<${Picture} answer=${answer} />`;
  if (view === "text" && answer.text !== undefined) {
    return html`<pre class="whole" tabindex="0">${answer.text}</pre>
      ${answer.total > answer.text.length && html`<p class="muted small">The first ${count(answer.text.length)} of ${count(answer.total)} characters; the whole text is in the download.</p>`}`;
  }
  return null;
}

/** @param {any} props */
function Numbers({ answer, kind }) {
  const { numbers, every, statistics } = answer;
  const places = numbers.map((/** @type {any} */ _, /** @type {number} */ place) => place * every);
  const [x, y] = kind === "histogram" ? histogram(numbers) : [places, numbers];
  return html`<${Plot} key=${kind} x=${x} lines=${[y]} labels=${[kind === "histogram" ? "count" : "value"]} height=${220} bars=${kind !== "line"} unit=${kind === "histogram" ? "value" : "index"} />
    <p class="muted small number">${plural(statistics.count, "number")} · from ${number(statistics.least)} to ${number(statistics.most)} · mean ${number(statistics.mean)}
      ${statistics.missing > 0 ? ` · ${count(statistics.missing)} missing` : ""}${every > 1 ? ` · every ${every}th is drawn` : ""}</p>`;
}

/** @param {(number | null)[]} numbers */
function histogram(numbers) {
  const known = /** @type {number[]} */ (numbers.filter((each) => each !== null));
  const low = known.reduce((a, b) => Math.min(a, b), Infinity);
  const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const bins = Math.max(1, Math.min(60, Math.ceil(Math.sqrt(known.length))));
  const width = (high - low) / bins || 1;
  const counts = new Array(bins).fill(0);
  for (const each of known) counts[Math.min(bins - 1, Math.floor((each - low) / width))] += 1;
  return [counts.map((_, place) => low + (place + 0.5) * width), counts];
}
