// A failure: the sentence first, then the user's own lines, then what to do.
import { html } from "./html.js";

/** @param {any} props */
export function FailureView({ error, algorithm }) {
  return html`<section class="panel failure" aria-label="Failure" data-test="failure">
    <header><h2>${error.code === "Crashed" ? "The process crashed" : "The algorithm failed"}</h2>
      <span class="muted small">${error.code}</span></header>
    <${FailureText} error=${error} algorithm=${algorithm} />
  </section>`;
}

/** @param {any} props */
export function FailureText({ error, algorithm }) {
  const [sentence, ...more] = error.message.split("\n");
  const details = [...more, ...(error.details ? error.details.split("\n") : [])];
  const link = editorLink(error, algorithm);
  return html`
    <p class="sentence">${sentence}</p>
    ${details.length > 0 && html`<pre tabindex="0" aria-label="Code">${details.map(
      (line) => html`<span class=${/^\s*>/.test(line) || /^\s*\|?\s*\^+\s*$/.test(line) ? "hit" : ""}>${line}${"\n"}</span>`,
    )}</pre>`}
    ${error.hint && html`<p class="hint"><strong>Hint:</strong> ${error.hint}</p>`}
    ${link && html`<p class="hint small"><a href=${link.href}>Open ${link.text} in the editor</a></p>`}
  `;
}

/**
 * The link to the innermost line of the user's code that the failure names.
 * @param {any} error
 * @param {any} algorithm
 */
function editorLink(error, algorithm) {
  // The sentence names the user's own line; the frames may end in a library.
  const found =
    /\(([^()\s]+\.py):(\d+)/.exec(error.message) ??
    /^([^\s:]+\.py):(\d+)/.exec(error.message) ??
    /File "([^"]+)", line (\d+)/.exec(error.details ?? "");
  if (!found) return null;
  const [, file, line] = found;
  const path = file.startsWith("/") ? file : `${algorithm.folder}/${file}`;
  const href = algorithm.editor.replace("{file}", encodeURI(path)).replace("{line}", line);
  return /^[a-z][a-z0-9+.-]*:/i.test(href) && !/^(javascript|data):/i.test(href)
    ? { href, text: `${file}:${line}` }
    : null;
}
