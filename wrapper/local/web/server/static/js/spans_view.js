// Spans as a waterfall: each bar at its time, below the span that it is in.
import { count, duration } from "./format.js";
import { html, useEffect, useRef, useState } from "./html.js";

const ROW = 22;
const LEFT = 170;
const RIGHT = 90;

/** @param {any} props */
export function SpansView({ facts }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const observer = new ResizeObserver(() => box.current && setWidth(box.current.clientWidth));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const spans = facts.spans;
  const begin = Math.min(...spans.map((/** @type {any} */ span) => span.began));
  const end = Math.max(facts.seconds, ...spans.map((/** @type {any} */ span) => span.ended ?? span.began), begin + 1e-6);
  const left = width < 500 ? 110 : LEFT;
  const room = Math.max(40, width - left - RIGHT);
  const x = (/** @type {number} */ at) => left + ((at - begin) / (end - begin)) * room;
  return html`<section class="panel" aria-label="Spans">
    <header><h2>Spans</h2><span class="muted small">${count(spans.length + facts.moreSpans)} over ${duration(end - begin)}</span></header>
    <div ref=${box}>
      <svg class="spans" height=${spans.length * ROW + 4} viewBox=${`0 0 ${width} ${spans.length * ROW + 4}`} role="img" aria-label=${`Waterfall of ${spans.length} spans`}>
        ${[0, 0.25, 0.5, 0.75, 1].map((part) => html`<line class="grid" x1=${left + part * room} x2=${left + part * room} y1="0" y2=${spans.length * ROW} />`)}
        ${spans.map((/** @type {any} */ span, /** @type {number} */ row) => html`<${Bar} span=${span} y=${row * ROW} x=${x} end=${end} left=${left} />`)}
      </svg>
    </div>
    ${spans.some((/** @type {any} */ span) => span.error || Object.keys(span.tags).length > 0) && html`<${Tags} spans=${spans} />`}
  </section>`;
}

/** @param {any} props */
function Bar({ span, y, x, end, left }) {
  const from = x(span.began);
  const to = x(span.ended ?? end);
  const room = Math.max(4, Math.floor((left - 8 - span.depth * 12) / 7));
  const name = span.name.length > room ? `${span.name.slice(0, room - 1)}…` : span.name;
  return html`<g class=${span.error ? "failed" : ""}>
    <title>${span.name}${span.error ? `: ${span.error}` : ""}</title>
    <text x=${4 + span.depth * 12} y=${y + 15}>${name}</text>
    <rect x=${from} y=${y + 4} width=${Math.max(2, to - from)} height="14" rx="2" />
    <text class="time" x=${to + 6} y=${y + 15}>${span.ended === null ? "open" : duration(span.ended - span.began)}</text>
  </g>`;
}

/** @param {any} props */
function Tags({ spans }) {
  return html`<details class="small"><summary>Tags and errors</summary>
    <div class="scroll" tabindex="0"><table><tbody>
      ${spans.map((/** @type {any} */ span) => Object.keys(span.tags).length + (span.error ? 1 : 0) > 0 && html`<tr>
        <td>${span.name}</td>
        <td class="wrap">${Object.entries(span.tags).map(([key, value]) => `${key} = ${value}`).join(", ")}</td>
        <td class="wrap state failed">${span.error ?? ""}</td>
      </tr>`)}
    </tbody></table></div></details>`;
}
