// The one WebSocket to the server: topics come by themselves, commands get an answer.
// wrapper/local/web/server/messages.py describes the messages.

/** @typedef {(value: any) => void} Take */

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 3000;

export class Connection {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    /** @type {Map<string, any>} */
    this.topics = new Map();
    /** @type {Map<string, Set<Take>>} */
    this.followers = new Map();
    /** @type {Map<number, {resolve: Take, reject: Take}>} */
    this.open = new Map();
    this.number = 0;
    this.pause = FIRST_PAUSE;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(this.url);
    socket.onopen = () => {
      this.socket = socket;
      this.pause = FIRST_PAUSE;
      this.publish("connection", "open");
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      this.socket = null;
      for (const { reject } of this.open.values()) reject(new Error("the server is not reachable"));
      this.open.clear();
      this.publish("connection", "lost");
      setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    };
  }

  /** @param {any} message */
  take(message) {
    if (message.topic !== undefined) {
      this.publish(message.topic, message.value);
      return;
    }
    const waiting = this.open.get(message.id);
    this.open.delete(message.id);
    if (message.error !== undefined) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message.answer);
  }

  /**
   * @param {string} topic
   * @param {any} value
   */
  publish(topic, value) {
    this.topics.set(topic, value);
    for (const take of this.followers.get(topic) ?? []) take(value);
  }

  /**
   * Call a function with each value of a topic; returns what ends that.
   * @param {string} topic
   * @param {Take} take
   */
  follow(topic, take) {
    const followers = this.followers.get(topic) ?? new Set();
    this.followers.set(topic, followers.add(take));
    if (this.topics.has(topic)) take(this.topics.get(topic));
    return () => {
      followers.delete(take);
    };
  }

  /**
   * Carry out a command.
   * @param {string} command
   * @param {Record<string, any>} [fields]
   * @returns {Promise<any>}
   */
  ask(command, fields = {}) {
    return new Promise((resolve, reject) => {
      if (this.socket === null) {
        reject(new Error("the server is not reachable"));
        return;
      }
      this.number += 1;
      this.open.set(this.number, { resolve, reject });
      this.socket.send(JSON.stringify({ ...fields, id: this.number, command }));
    });
  }
}

export const connection = new Connection(`ws://${location.host}/socket`);
