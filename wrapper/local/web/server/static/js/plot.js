// A line plot, or bars, drawn by uPlot; the library is fetched when the first one is shown.
import { html, useEffect, useRef } from "./html.js";

/**
 * @param {string} name
 * @returns {string}
 */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {any} props */
export function Plot({ x, lines, labels, height, unit, bars, floor, isPlain }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const data = [x, ...lines];
  useEffect(() => {
    let isWanted = true;
    let observer = /** @type {ResizeObserver | null} */ (null);
    import("../vendor/uplot.js").then(({ default: UPlot }) => {
      if (!isWanted || !box.current) return;
      const width = box.current.clientWidth;
      const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "11px sans-serif" };
      const strokes = [colour("--accent"), colour("--bad")];
      const series = lines.map((/** @type {any} */ _, /** @type {number} */ place) => ({
        label: labels[place],
        stroke: strokes[place % 2],
        width: 1.5,
        dash: place > 0 ? [5, 4] : undefined,
        fill: bars && place === 0 ? colour("--bar") : undefined,
        paths: bars ? UPlot.paths.bars({ size: [0.9, 60] }) : undefined,
        points: { show: x.length < 40 && !bars && !isPlain },
      }));
      plot.current = new UPlot(
        {
          width,
          height,
          scales: { x: { time: false }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => spread(low, high, floor) } },
          axes: [axis, { ...axis, size: 60 }],
          series: [{ label: unit ?? "" }, ...series],
          legend: { show: !isPlain },
          cursor: { drag: { x: !isPlain, y: false } },
        },
        data,
        box.current,
      );
      observer = new ResizeObserver(() => box.current && plot.current?.setSize({ width: box.current.clientWidth, height }));
      observer.observe(box.current);
    });
    return () => {
      isWanted = false;
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [bars, lines.length]);
  useEffect(() => plot.current?.setData(data), [JSON.stringify([x.length, x[x.length - 1], lines[0]?.[x.length - 1]])]);
  return html`<div class="plot" ref=${box}></div>`;
}

/**
 * A range that begins at zero if it is near.
 * @param {number} low
 * @param {number} high
 * @param {[number, number]} [floor] a range that is always in view
 */
function spread(low, high, floor) {
  if (low === null || high === null) return [0, 1];
  if (floor) return [Math.min(floor[0], low), Math.max(floor[1], high * 1.1)];
  const from = low >= 0 && low < high * 0.7 ? 0 : low - (high - low) * 0.05;
  const to = high + (high - from) * 0.05;
  return from === to ? [from - 1, to + 1] : [from, to];
}
