// What several parts of the page need from the server.
import { connection } from "./connection.js";
import { useEffect, useState } from "./html.js";

/**
 * The newest value of a topic.
 * @param {string} topic
 */
export function useTopic(topic) {
  const [value, setValue] = useState(connection.topics.get(topic));
  useEffect(() => connection.follow(topic, setValue), [topic]);
  return value;
}

/**
 * The answer to a command, asked again when a field changes.
 * @param {string} command
 * @param {Record<string, any>} fields
 * @returns {{answer: any, error: string}}
 */
export function useAnswer(command, fields) {
  const asked = JSON.stringify(fields);
  const [state, setState] = useState({ answer: null, error: "" });
  useEffect(() => {
    let isWanted = true;
    const take = (/** @type {any} */ next) => isWanted && setState(next);
    connection.ask(command, JSON.parse(asked)).then(
      (answer) => take({ answer, error: "" }),
      (error) => take({ answer: null, error: error.message }),
    );
    return () => {
      isWanted = false;
    };
  }, [command, asked]);
  return state;
}

/** @type {(text: string) => void} */
let show = () => {};

/** @param {(text: string) => void} take */
export function onToast(take) {
  show = take;
}

/**
 * Show a sentence for some seconds.
 * @param {string} text
 */
export function toast(text) {
  show(text);
}

/**
 * Copy a text, and say so.
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}`);
  } catch {
    toast("The browser does not allow copying");
  }
}
