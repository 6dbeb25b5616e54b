// The log: only the lines in view are in the document, so a hundred thousand of them scroll well.
import { pieces } from "./ansi.js";
import { connection } from "./connection.js";
import { count, plural } from "./format.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./html.js";

const HEIGHT = 18;
const AROUND = 20;
const CHUNK = 5000;

/** @typedef {[number, string, string]} Line */

/**
 * The lines of a run, fetched as they come, one request at a time.
 * @param {number} run
 * @param {number} total
 */
function useLines(run, total) {
  const lines = useRef(/** @type {Line[]} */ ([]));
  const [many, setMany] = useState(0);
  const wanted = useRef(total);
  const isBusy = useRef(false);
  wanted.current = total;
  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  useEffect(() => {
    const fetchMore = async () => {
      if (isBusy.current) return; // it sees the new total itself
      isBusy.current = true;
      try {
        while (isOpen.current && lines.current.length < wanted.current) {
          const answer = await connection.ask("log", { run, start: lines.current.length, limit: CHUNK });
          if (answer.lines.length === 0) break;
          for (const line of answer.lines) lines.current.push(line);
          if (isOpen.current) setMany(lines.current.length);
        }
      } catch {
        // The connection was lost; the next change asks again.
      } finally {
        isBusy.current = false;
      }
    };
    fetchMore();
  }, [run, total]);
  return { lines: lines.current, many };
}

/** @param {any} props */
export function LogView({ run, total, isOver }) {
  const { lines, many } = useLines(run, total);
  const [search, setSearch] = useState("");
  const [follows, setFollows] = useState(true);
  const [top, setTop] = useState(0);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useMemo(() => {
    const wanted = search.toLowerCase();
    return wanted === "" ? lines : lines.filter((line) => line[2].toLowerCase().includes(wanted));
  }, [search, many, lines]);

  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.length, follows]);
  const scrolled = () => {
    if (!box.current) return;
    setTop(box.current.scrollTop);
    const isAtEnd = box.current.scrollTop + box.current.clientHeight >= box.current.scrollHeight - HEIGHT;
    if (isAtEnd !== follows) setFollows(isAtEnd);
  };

  const first = Math.max(0, Math.floor(top / HEIGHT) - AROUND);
  const last = Math.min(shown.length, first + 2 * AROUND + 20);
  if (many === 0 && isOver) return html`<section class="panel"><header><h2>Log</h2><span class="muted small">The run printed nothing.</span></header></section>`;
  return html`<section class="panel" aria-label="Log">
    <header>
      <h2>Log</h2>
      <span class="muted small number" data-test="log-count">${search ? `${count(shown.length)} of ${plural(many, "line")}` : plural(many, "line")}</span>
      <input
        type="search"
        id="log-search"
        class="push"
        placeholder="Search the log"
        aria-label="Search the log"
        value=${search}
        onInput=${(/** @type {any} */ event) => setSearch(event.target.value)}
      />
      <label class="row small"><input type="checkbox" checked=${follows} onChange=${(/** @type {any} */ event) => setFollows(event.target.checked)} />Follow</label>
    </header>
    <div class="log" ref=${box} style=${{ height: `${Math.min(320, Math.max(4, shown.length) * HEIGHT + 16)}px` }} onScroll=${scrolled} tabindex="0" role="log" aria-label="Lines" aria-live="off">
      <div class="space" style=${{ height: `${shown.length * HEIGHT}px` }}>
        <div class="view" style=${{ top: `${first * HEIGHT}px` }}>
          ${shown.slice(first, last).map((line) => html`<${Entry} line=${line} search=${search} />`)}
        </div>
      </div>
    </div>
  </section>`;
}

/** @param {any} props */
function Entry({ line, search }) {
  const [at, source, text] = line;
  return html`<div class=${`entry ${source}`}><span class="at">${at.toFixed(2)}</span>${pieces(text).map(
    ({ text: piece, style }) => html`<span class=${style}>${marked(piece, search)}</span>`,
  )}</div>`;
}

/**
 * @param {string} text
 * @param {string} search
 */
function marked(text, search) {
  const at = search === "" ? -1 : text.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return text;
  const end = at + search.length;
  return html`${text.slice(0, at)}<mark>${text.slice(at, end)}</mark>${text.slice(end)}`;
}
