// One run: how it goes, why it failed, what came out, what it did meanwhile.
import { CallsView } from "./calls_view.js";
import { connection } from "./connection.js";
import { FailureView } from "./failure_view.js";
import { clock, duration, size } from "./format.js";
import { copy, toast, useAnswer } from "./hooks.js";
import { html, useEffect, useState } from "./html.js";
import { Dialog } from "./keys.js";
import { LogView } from "./log_view.js";
import { ResultView } from "./result_view.js";
import { SpansView } from "./spans_view.js";
import { UsageView } from "./usage_view.js";

/** @param {any} props */
export function RunView({ run, newest, algorithm, onAgain, onEdit, onCompare, isBusy }) {
  // The status makes it ask again once the run has ended.
  const asked = useAnswer("facts", { run, status: newest?.status });
  const facts = newest ?? asked.answer?.facts;
  if (!facts) return html`<section class="panel"><p class="empty">${asked.error || "Loading…"}</p></section>`;
  const isOver = facts.status !== "running" && facts.status !== "stopping";
  return html`
    <${RunPanel} facts=${facts} isOver=${isOver} input=${asked.answer?.input} onAgain=${onAgain} onEdit=${onEdit} onCompare=${onCompare} isBusy=${isBusy} />
    ${facts.error && html`<${FailureView} error=${facts.error} algorithm=${algorithm} />`}
    ${facts.notes.length > 0 && html`<div class="notice" role="status" data-test="notes">${facts.notes.map((/** @type {string} */ note) => html`<p class="small">${note}</p>`)}</div>`}
    ${facts.status === "done" && html`<${ResultView} run=${run} facts=${facts} />`}
    ${facts.spans.length > 0 && html`<${SpansView} facts=${facts} />`}
    ${facts.calls.length > 0 && html`<${CallsView} facts=${facts} />`}
    <${LogView} run=${run} total=${facts.lines} isOver=${isOver} />
    <${UsageView} facts=${facts} limit=${algorithm.memory} />
    ${algorithm.metrics && html`<section class="panel"><header><h2>TensorBoard</h2></header>
      <p class="small">The algorithm has written metrics. To see them: <code>tensorboard --logdir ${algorithm.metrics}</code>
      ${" "}<button class="quiet" onClick=${() => copy(`tensorboard --logdir '${algorithm.metrics}'`, "the command")}>Copy</button>
      ${" "}If it is not installed: <code>pip install tensorboard</code></p></section>`}
  `;
}

/** @param {any} props */
function RunPanel({ facts, isOver, input, onAgain, onEdit, onCompare, isBusy }) {
  const [exported, setExported] = useState(/** @type {{title: string, text: string} | null} */ (null));
  const show = async (/** @type {string} */ form, /** @type {string} */ title) => {
    try {
      const answer = await connection.ask("export", { run: facts.id, form });
      setExported({ title, text: answer.text });
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
    }
  };
  return html`<section class="panel" aria-label=${`Run ${facts.id}`}>
    <header>
      <h2>Run ${facts.id}</h2>
      <span class=${`state ${facts.status}`} data-test="status">${facts.status}</span>
      <span class="muted small number">${clock(facts.began)} · <${Elapsed} facts=${facts} isOver=${isOver} />${facts.peakMemory ? ` · ${size(facts.peakMemory)} at most` : ""}</span>
      <span class="row push tight">
        ${input !== undefined && isOver && html`
          <button class="small" disabled=${isBusy} onClick=${() => onAgain(input)}>Run again</button>
          <button class="quiet small" onClick=${() => onEdit(input)}>Edit input</button>
          <button class="quiet small" onClick=${() => show("test", "As a test")}>As a test</button>
          <button class="quiet small" onClick=${() => show("command", "As a command")}>As a command</button>`}
        <button class="quiet small" onClick=${() => copy(`${location.origin}/runs/${facts.id}`, "the link")}>Link</button>
        ${isOver && facts.id > 1 && html`<button class="quiet small" onClick=${() => onCompare(facts.id - 1)}>Compare with run ${facts.id - 1}</button>`}
      </span>
    </header>
    <pre class="muted small" tabindex="0" aria-label="Input of the run">${facts.input.length > 400 ? `${facts.input.slice(0, 400)}…` : facts.input}</pre>
    ${facts.progress !== null && facts.status !== "done" && html`<${Progress} progress=${facts.progress} />`}
    <ol class="phases" aria-label="Phases">
      ${facts.phases.slice(0, 12).map((/** @type {any} */ phase) => html`<li>${PHASES[phase.name] ?? phase.name} <span class="number">${duration(Math.max(0, phase.at))}</span></li>`)}
    </ol>
    ${exported && html`<${Dialog} title=${exported.title} onClose=${() => setExported(null)}>
      <pre tabindex="0" data-test="exported">${exported.text}</pre>
      <button onClick=${() => copy(exported.text, "the text")}>Copy</button>
    <//>`}
  </section>`;
}

/** @type {Record<string, string>} */
const PHASES = {
  initialize: "input sent",
  start: "start sent",
  stop: "asked to stop",
  exit: "asked to exit",
};

/** @param {any} props */
function Elapsed({ facts, isOver }) {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    if (isOver) return undefined;
    const timer = setInterval(() => setNow(Date.now() / 1000), 100);
    return () => clearInterval(timer);
  }, [isOver]);
  return html`<span>${duration(isOver ? facts.seconds : Math.max(0, now - facts.began))}</span>`;
}

/** @param {any} props */
function Progress({ progress }) {
  const value = Number(progress.value);
  const isPercent = typeof progress.value === "number" && value >= 0 && value <= 100;
  const details = progress.details === null || progress.details === undefined ? "" : typeof progress.details === "string" ? progress.details : JSON.stringify(progress.details);
  return html`<div data-test="progress">
    <div class="row small"><span>${isPercent ? `${value}%` : JSON.stringify(progress.value)}</span><span class="muted">${details}</span></div>
    ${isPercent && html`<progress max="100" value=${value} aria-label="Progress"></progress>`}
  </div>`;
}
