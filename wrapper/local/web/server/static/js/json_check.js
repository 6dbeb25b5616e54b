// Finds where a text stops being JSON: the browser's own messages differ, and some name no place.

/**
 * @typedef {{message: string, at: number, line: number, column: number}} Mistake
 */

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class Wrong extends Error {
  /**
   * @param {string} message
   * @param {number} at
   */
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/**
 * The first mistake of a text that should be a JSON array; null if there is none.
 * @param {string} text
 * @returns {Mistake | null}
 */
export function findMistake(text) {
  try {
    JSON.parse(text);
    if (/^\s*\[/.test(text)) return null;
    const message = "The input is a JSON array: the algorithm reads it from args['input']";
    return { message, at: 0, line: 1, column: 1 };
  } catch {
    try {
      scan(text);
    } catch (error) {
      if (error instanceof Wrong) return place(text, error.message, error.at);
    }
    return place(text, "This is not JSON", 0);
  }
}

/**
 * @param {string} text
 * @param {string} message
 * @param {number} at
 */
function place(text, message, at) {
  const before = text.slice(0, at).split("\n");
  return { message, at, line: before.length, column: before[before.length - 1].length + 1 };
}

/** @param {string} text */
function scan(text) {
  let at = 0;
  const match = (/** @type {RegExp} */ pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const skip = () => match(SPACE);
  /** @type {string[]} */
  const open = [];
  let wantsValue = true;
  skip();
  for (;;) {
    skip();
    if (wantsValue) {
      if (at >= text.length) throw new Wrong("A value is missing at the end", at);
      if (text[at] === "[") {
        at += 1;
        skip();
        if (text[at] === "]") { at += 1; wantsValue = false; } else open.push("]");
        continue;
      }
      if (text[at] === "{") {
        at += 1;
        skip();
        if (text[at] === "}") { at += 1; wantsValue = false; } else { open.push("}"); key(); }
        continue;
      }
      if (!match(STRING) && !match(NUMBER) && !match(WORD)) throw new Wrong(unexpected(), at);
      wantsValue = false;
      continue;
    }
    const close = open[open.length - 1];
    if (close === undefined) {
      if (at < text.length) throw new Wrong("Nothing may follow the array", at);
      return;
    }
    if (text[at] === close) { at += 1; open.pop(); continue; }
    if (text[at] !== ",") throw new Wrong(at >= text.length ? `'${close}' is missing at the end` : `Expected ',' or '${close}'`, at);
    at += 1;
    skip();
    if (text[at] === close) throw new Wrong(`Remove the comma before '${close}'`, at);
    if (close === "}") key();
    wantsValue = true;
  }

  function key() {
    wantsValue = true;
    skip();
    if (!match(STRING)) throw new Wrong("Expected a key in double quotes", at);
    skip();
    if (text[at] !== ":") throw new Wrong("Expected ':' after the key", at);
    at += 1;
  }

  function unexpected() {
    if (text[at] === "'") return "Texts are in double quotes";
    if (text[at] === '"') return "This text has no end, or an invalid escape";
    if (/^(True|False|None)/.test(text.slice(at))) return "In JSON it is true, false or null";
    if (/^-?(NaN|Infinity)/.test(text.slice(at))) return "JSON has no NaN and no Infinity: use null";
    return `'${text[at]}' was not expected here`;
  }
}
