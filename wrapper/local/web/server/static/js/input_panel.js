// The input: an editor that checks JSON as it is typed, and the buttons that run it.
import { FailureText } from "./failure_view.js";
import { connection } from "./connection.js";
import { html, useState } from "./html.js";
import { findMistake } from "./json_check.js";

const KEPT = "hkube-dev-input";

/** The input of the last visit. */
export function lastInput() {
  return localStorage.getItem(KEPT) ?? "[]";
}

/** @param {any} props */
export function InputPanel({ algorithm, input, onInput, onRun, onStop, isRunning, isStopping }) {
  const [isOver, setIsOver] = useState(false);
  const mistake = findMistake(input);
  const change = (/** @type {string} */ text) => {
    try {
      localStorage.setItem(KEPT, text.length < 100_000 ? text : "[]");
    } catch {
      // The browser keeps nothing: the input is kept until the page is closed.
    }
    onInput(text);
  };
  const drop = async (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setIsOver(false);
    const file = event.dataTransfer?.files[0];
    if (file) change(await file.text());
  };
  return html`<section class="panel" aria-label="Input">
    <${Functions} algorithm=${algorithm} isOpen=${false} />
    <header>
      <h2><label for="input-editor">Input</label></h2>
      <span class="muted small">args["input"]</span>
      <${Examples} examples=${algorithm.examples} onChoose=${change} />
    </header>
    <div
      class=${`editor ${isOver ? "over" : ""}`}
      onDragOver=${(/** @type {Event} */ event) => (event.preventDefault(), setIsOver(true))}
      onDragLeave=${() => setIsOver(false)}
      onDrop=${drop}
    >
      <textarea
        id="input-editor"
        spellcheck=${false}
        autocomplete="off"
        aria-invalid=${mistake !== null}
        aria-describedby="input-mistake"
        value=${input}
        onInput=${(/** @type {any} */ event) => change(event.target.value)}
      ></textarea>
    </div>
    <div class="mistake" id="input-mistake" role="status">${mistake && html`<${MistakeText} text=${input} mistake=${mistake} />`}</div>
    <div class="row">
      <button class="primary" disabled=${isRunning || mistake !== null} onClick=${onRun} title="Ctrl+Enter">Run</button>
      <button disabled=${!isRunning || isStopping} onClick=${onStop} title="x">${isStopping ? "Stopping…" : "Stop"}</button>
      <button class="quiet push" disabled=${mistake !== null} onClick=${() => change(tidy(input))}>Tidy</button>
    </div>
  </section>`;
}

/** @param {any} props */
function MistakeText({ text, mistake }) {
  const line = text.split("\n")[mistake.line - 1] ?? "";
  const from = Math.max(0, mistake.column - 30);
  const shown = line.slice(from, from + 60);
  return html`Line ${mistake.line}, column ${mistake.column}: ${mistake.message}
    ${shown.trim() && html`<pre aria-hidden="true">${shown}${"\n"}${" ".repeat(mistake.column - 1 - from)}^</pre>`}`;
}

/** @param {any} props */
function Examples({ examples, onChoose }) {
  if (examples.length === 0) return null;
  const choose = (/** @type {any} */ event) => {
    const example = examples[Number(event.target.value)];
    event.target.value = "";
    if (example) onChoose(example.text);
  };
  return html`<select class="push" aria-label="Examples" value="" onChange=${choose}>
    <option value="">Examples</option>
    ${examples.map((/** @type {any} */ example, /** @type {number} */ place) => html`<option value=${place}>${example.name}</option>`)}
  </select>`;
}

/**
 * The functions of the algorithm, with what their docstrings say.
 * @param {any} props
 */
export function Functions({ algorithm, isOpen }) {
  const shown = isOpen ? algorithm.functions : algorithm.functions.filter((/** @type {any} */ each) => each.name === "start");
  return shown.map(
    (/** @type {any} */ each) => html`<details class="function" open=${isOpen && each.doc !== ""}>
      <summary>${each.signature}</summary>
      <pre>${each.doc || "No docstring."}</pre>
    </details>`,
  );
}

/**
 * Why the algorithm cannot be loaded, or that it will be loaded again.
 * @param {any} props
 */
export function AlgorithmNotice({ algorithm }) {
  if (algorithm.state === "broken") {
    return html`<section class="panel failure" role="alert" data-test="load-error">
      <header><h2>The algorithm cannot be loaded</h2></header>
      <${FailureText} algorithm=${algorithm} error=${{ message: algorithm.problem, details: algorithm.details }} />
      <p class="small muted hint">Save the file and it is loaded again.</p>
    </section>`;
  }
  if (algorithm.isChanged) {
    return html`<p class="notice" role="status">Saved ${algorithm.saved}: it is loaded after this run.
      ${" "}<button class="quiet" onClick=${() => connection.ask("stop")}>Stop the run</button></p>`;
  }
  if (algorithm.state === "ended") {
    return html`<p class="notice bad" role="status">The algorithm's process has ended: ${algorithm.problem}. Run starts another one.</p>`;
  }
  return null;
}

/** @param {string} text */
function tidy(text) {
  // Numbers stay as they are written: a browser would round large ones.
  const indent = "  ";
  let depth = 0;
  let out = "";
  const line = () => `\n${indent.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (token === "[" || token === "{") {
      depth += 1;
      out += token + line();
    } else if (token === "]" || token === "}") {
      depth -= 1;
      out = /[[{]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ",") out += token + line();
    else if (token === ":") out += ": ";
    else out += token;
  }
  return out;
}
