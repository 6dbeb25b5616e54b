// The page: a bar, the input and the history on the left, one run on the right.
import { CompareView } from "./compare_view.js";
import { connection } from "./connection.js";
import { onToast, toast, useTopic } from "./hooks.js";
import { HistoryPanel } from "./history_panel.js";
import { html, render, useEffect, useState } from "./html.js";
import { AlgorithmNotice, Functions, InputPanel, lastInput } from "./input_panel.js";
import { KeysDialog, useKeys } from "./keys.js";
import { RunView } from "./run_view.js";

/** The run that the address names; null for the newest one. */
function runInAddress() {
  const match = /^\/runs\/(\d+)/.exec(location.pathname);
  return match ? Number(match[1]) : null;
}

/** @param {string} text */
async function startRun(text) {
  try {
    await connection.ask("run", { input: text });
    return true;
  } catch (error) {
    toast(/** @type {Error} */ (error).message);
    return false;
  }
}

function stopRun() {
  connection.ask("stop").catch((error) => toast(error.message));
}

function Page() {
  const algorithm = useTopic("algorithm");
  const newest = useTopic("run");
  const state = useTopic("connection");
  const [chosen, setChosen] = useState(runInAddress());
  const [input, setInput] = useState(lastInput());
  const [pair, setPair] = useState(/** @type {[number, number] | null} */ (null));
  const [showsKeys, setShowsKeys] = useState(false);
  const [message, setMessage] = useState("");

  const show = (/** @type {number | null} */ run) => {
    setChosen(run);
    setPair(null);
    history.pushState(null, "", run === null ? "/" : `/runs/${run}`);
  };
  const start = async (/** @type {string} */ text) => {
    if (await startRun(text)) show(null);
  };
  const again = (/** @type {string} */ text) => {
    setInput(text);
    start(text);
  };

  useEffect(() => onToast(setMessage), []);
  useEffect(() => {
    const timer = setTimeout(() => setMessage(""), 4000);
    return () => clearTimeout(timer);
  }, [message]);
  useEffect(() => {
    const back = () => setChosen(runInAddress());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    if (algorithm) document.title = `${algorithm.name} – hkube-wrapper dev`;
  }, [algorithm?.name]);
  useKeys({
    run: () => start(input),
    stop: stopRun,
    keys: () => setShowsKeys(true),
  });

  if (!algorithm) return html`<p class="empty">Connecting…</p>`;
  const isRunning = newest?.status === "running" || newest?.status === "stopping";
  const shown = chosen ?? newest?.id ?? null;
  return html`
    <${TopBar} algorithm=${algorithm} isLost=${state === "lost"} onKeys=${() => setShowsKeys(true)} />
    <div class="columns">
      <aside class="side" aria-label="Input and history">
        <${InputPanel}
          algorithm=${algorithm}
          input=${input}
          onInput=${setInput}
          onRun=${() => start(input)}
          onStop=${stopRun}
          isRunning=${isRunning}
          isStopping=${newest?.status === "stopping"}
        />
        <${HistoryPanel} shown=${shown} onShow=${show} onCompare=${(/** @type {number} */ run) => setPair([run, shown ?? run])} />
      </aside>
      <main class="main">
        <${AlgorithmNotice} algorithm=${algorithm} />
        ${pair !== null && html`<${CompareView} left=${pair[0]} right=${pair[1]} onClose=${() => setPair(null)} />`}
        ${shown === null
          ? html`<section class="panel"><${Functions} algorithm=${algorithm} isOpen=${true} />
              <p class="muted">Type an input and press Run. The result is drawn here.</p></section>`
          : html`<${RunView}
              key=${shown}
              run=${shown}
              newest=${newest?.id === shown ? newest : null}
              algorithm=${algorithm}
              onAgain=${again}
              onEdit=${setInput}
              onCompare=${(/** @type {number} */ run) => setPair([run, shown])}
              isBusy=${isRunning}
            />`}
      </main>
    </div>
    ${showsKeys && html`<${KeysDialog} onClose=${() => setShowsKeys(false)} />`}
    <div role="status" aria-live="polite">${message && html`<div class="toast">${message}</div>`}</div>
  `;
}

/** @type {Record<string, string>} */
const STATES = {
  starting: "loading…",
  ready: "ready",
  broken: "cannot be loaded",
  ended: "its process has ended",
};

/** @param {any} props */
function TopBar({ algorithm, isLost, onKeys }) {
  return html`<header class="top">
    <h1>${algorithm.name || "hkube-wrapper dev"}</h1>
    <span class=${`state ${isLost ? "broken" : algorithm.state}`} data-test="state">
      ${isLost ? "connection lost: is hkube-wrapper dev still running?" : STATES[algorithm.state]}
    </span>
    <span class="path small" title=${algorithm.folder}>${algorithm.path}</span>
    <label class="row small push">
      <input
        type="checkbox"
        checked=${algorithm.runOnSave}
        onChange=${(/** @type {any} */ event) => connection.ask("run_on_save", { on: event.target.checked })}
      />
      Run after each save
    </label>
    <button class="quiet" onClick=${onKeys} aria-label="Keyboard shortcuts">?</button>
  </header>`;
}

render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
