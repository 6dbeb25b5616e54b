// Processor and memory of the algorithm's processes over the run.
import { size } from "./format.js";
import { html } from "./html.js";
import { Plot } from "./plot.js";

/** @param {any} props */
export function UsageView({ facts, limit }) {
  const samples = facts.usage;
  if (samples.length < 2) return null;
  const times = samples.map((/** @type {any} */ sample) => sample[0]);
  const cores = samples.map((/** @type {any} */ sample) => sample[1]);
  const memory = samples.map((/** @type {any} */ sample) => sample[2] / 2 ** 20);
  const limits = limit ? [samples.map(() => limit / 2 ** 20)] : [];
  return html`<section class="panel" aria-label="Processor and memory">
    <header><h2>Processor and memory</h2>
      <span class="muted small">${size(facts.peakMemory)} at most${limit ? ` of ${size(limit)} (resources.mem)` : ""}</span></header>
    <div class="pair">
      <figure><figcaption class="muted small">Processor cores over seconds</figcaption>
        <${Plot} x=${times} lines=${[cores]} labels=${["cores"]} height=${130} unit="s" floor=${[0, 1]} isPlain=${true} /></figure>
      <figure><figcaption class="muted small">Memory in MiB over seconds</figcaption>
        <${Plot} x=${times} lines=${[memory, ...limits]} labels=${["MiB", "resources.mem"]} height=${130} unit="s" floor=${[0, 16]} isPlain=${true} /></figure>
    </div>
  </section>`;
}
