// Times, sizes and numbers in the units of people.

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toPrecision(3).replace(/\.?0+$/, "")} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

/** @param {number} value */
export function count(value) {
  return value.toLocaleString("en");
}

/** @param {number} epoch seconds since 1970 */
export function clock(epoch) {
  const date = new Date(epoch * 1000);
  const time = date.toLocaleTimeString(undefined, { hour12: false });
  return date.toDateString() === new Date().toDateString()
    ? time
    : `${date.toLocaleDateString()} ${time}`;
}

/** @param {number | null} value */
export function number(value) {
  if (value === null) return "–";
  return Number.isInteger(value) ? count(value) : Number(value.toPrecision(6)).toString();
}

/**
 * @param {number} many
 * @param {string} one
 * @param {string} [several]
 */
export function plural(many, one, several = `${one}s`) {
  return `${count(many)} ${many === 1 ? one : several}`;
}
