// Colours of terminals, as classes: the text itself stays text.

// Escape sequences, and other control characters that would show as boxes.
const SEQUENCE = /\u001b\[([0-9;]*)([A-Za-z])|\u001b\][^\u0007]*(?:\u0007|$)|[\u0000-\u0008\u000b-\u001f]/g;

/**
 * Cut a line into pieces of one style each.
 * @param {string} line
 * @returns {{text: string, style: string}[]}
 */
export function pieces(line) {
  if (!line.includes("\u001b") && !/[\u0000-\u0008\u000b-\u001f]/.test(line)) {
    return [{ text: line, style: "" }];
  }
  const found = [];
  /** @type {Set<string>} */
  let styles = new Set();
  let from = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    if (match.index > from) found.push({ text: line.slice(from, match.index), style: [...styles].join(" ") });
    from = match.index + match[0].length;
    if (match[2] === "m") styles = applied(styles, match[1]);
  }
  if (from < line.length) found.push({ text: line.slice(from), style: [...styles].join(" ") });
  return found;
}

/** @type {Record<number, string>} */
const NAMED = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };

/**
 * @param {Set<string>} before
 * @param {string} codes
 */
function applied(before, codes) {
  let styles = new Set(before);
  const numbers = codes.split(";").map(Number);
  for (let place = 0; place < numbers.length; place += 1) {
    const code = numbers[place];
    const colour = code >= 90 ? code - 90 : code - 30;
    if (code === 0) styles = new Set();
    else if (NAMED[code]) styles.add(NAMED[code]);
    else if (code === 22) { styles.delete("bold"); styles.delete("dim"); }
    else if (code === 38 || code === 48) place += numbers[place + 1] === 5 ? 2 : 4;
    else if ((code >= 30 && code <= 37) || code === 39 || (code >= 90 && code <= 97)) {
      styles = new Set([...styles].filter((style) => !/^c\d$/.test(style)));
      if (colour >= 1 && colour <= 6) styles.add(`c${colour}`);
    }
  }
  return styles;
}
