// Images and heat maps, drawn on a canvas: no part of a result becomes HTML.
import { count, number, size } from "./format.js";
import { html, useEffect, useRef, useState } from "./html.js";

/**
 * A canvas with a pixel for each cell.
 * @param {{rows: any[][], paint: (cell: any) => number[], label: string}} props
 */
function Canvas({ rows, paint, label }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const height = rows.length;
  const width = rows[0].length;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    let at = 0;
    for (const row of rows) {
      for (const cell of row) {
        image.data.set(paint(cell), at);
        at += 4;
      }
    }
    context.putImageData(image, 0, 0);
  }, [rows]);
  const scale = Math.max(1, Math.min(24, Math.floor(480 / Math.max(width, height))));
  return html`<canvas ref=${canvas} class="picture" width=${width} height=${height} style=${{ width: `${width * scale}px` }} role="img" aria-label=${label}></canvas>`;
}

/** @param {any} props */
export function Picture({ answer }) {
  if (answer.file) return html`<${FilePicture} file=${answer.file} type=${answer.type} bytes=${answer.bytes} />`;
  const about = `${count(answer.width)} × ${count(answer.height)} pixels`;
  return html`<${Canvas} rows=${answer.rows} paint=${paintPixel} label=${`Image, ${about}`} /><p class="muted small">${about}</p>`;
}

/** @param {number[]} pixel grey, RGB or RGBA */
function paintPixel(pixel) {
  if (pixel.length < 3) return [pixel[0], pixel[0], pixel[0], 255];
  return [pixel[0], pixel[1], pixel[2], pixel.length > 3 ? pixel[3] : 255];
}

/** @param {any} props */
function FilePicture({ file, type, bytes }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const content = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([content], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return html`${url && html`<img class="picture photo" src=${url} alt="The image in the result" />`}<p class="muted small">${type}, ${size(bytes)}</p>`;
}

// A scale from dark blue to yellow that is even to the eye and in grey, after viridis.
const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** @param {number} part from 0 to 1 */
function shade(part) {
  const place = Math.max(0, Math.min(1, part)) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  return STOPS[low].map((from, channel) => Math.round(from + (STOPS[low + 1][channel] - from) * (place - low)));
}

/** @param {any} props */
export function HeatMap({ answer }) {
  const { rows, low, high, height, width } = answer;
  const paint = (/** @type {number | null} */ cell) => (cell === null ? [128, 128, 128, 90] : [...shade((cell - low) / (high - low || 1)), 255]);
  const steps = [Array.from({ length: 100 }, (_, place) => low + (place / 99) * (high - low))];
  const about = `${count(height)} × ${count(width)}`;
  return html`<${Canvas} rows=${rows} paint=${paint} label=${`Heat map, ${about}`} />
    <p class="row muted small number">${about} · ${number(low)} <${Scale} rows=${steps} paint=${paint} /> ${number(high)}
      ${rows.length < height || rows[0].length < width ? " · thinned out" : ""}</p>`;
}

/** @param {any} props */
function Scale({ rows, paint }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(rows[0].length, 1);
    rows[0].forEach((/** @type {number} */ value, /** @type {number} */ place) => image.data.set(paint(value), place * 4));
    context.putImageData(image, 0, 0);
  }, [rows[0][0], rows[0][99]]);
  return html`<canvas ref=${canvas} class="scale" width=${rows[0].length} height="1" role="img" aria-label="Scale"></canvas>`;
}
