// Server-sent events that survive: reconnects after the last event that was seen, tells when the
// server has no such stream, and waits while the server is gone or asks for a key. Knows no kind of event.

import { address, server } from "./api.js";

/** Before a connection that broke is made again. */
const RECONNECT = 800;

/**
 * Listens to `path`. `message` gets each event as an object, `open` is called at each connection,
 * `broken` when one is lost, `refused` once, with the status, when the server has nothing (more) to
 * tell here: 204, 404. After that nothing comes any more. `parameters` stay in the address.
 *
 *     const stream = new Stream(eventsPath(123), { message, refused }, { rows: "all" });
 *     stream.close();
 */
export class Stream {
  #path;
  #told;
  #parameters;
  #source;
  #timer;
  #lastId;
  #closed = false;

  constructor(path, told, parameters = {}) {
    this.#path = path;
    this.#told = told;
    this.#parameters = parameters;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#source?.close();
    server.removeEventListener("back", this.#connect);
  }

  #address() {
    return address(this.#path, { ...this.#parameters, lastEventId: this.#lastId });
  }

  // The browser's own reconnecting is not used: some give up when the server is not there at all,
  // and none tells a refusal from silence.
  #connect = () => {
    server.removeEventListener("back", this.#connect);
    if (this.#closed) return;
    const source = new EventSource(this.#address());
    this.#source = source;
    source.onopen = () => this.#told.open?.();
    source.onmessage = (event) => {
      if (event.lastEventId) this.#lastId = event.lastEventId;
      this.#told.message(JSON.parse(event.data), event.lastEventId);
    };
    source.onerror = () => {
      source.close();
      if (this.#closed) return;
      this.#told.broken?.();
      this.#timer = setTimeout(() => this.#ask(), RECONNECT);
    };
  };

  /** Why did it end? */
  async #ask() {
    const asking = new AbortController();
    const status = await fetch(this.#address(), {
      signal: asking.signal, cache: "no-store", headers: { Accept: "text/event-stream" },
    }).then((answer) => answer.status, () => null);
    asking.abort();
    if (this.#closed) return;
    if (status === null) {
      server.addEventListener("back", this.#connect);
      server.lost();
    } else if (status === 401) {
      server.addEventListener("back", this.#connect);
      server.lock();
    } else if (status === 204 || (status >= 400 && status < 500 && status !== 429)) {
      this.close();
      this.#told.refused?.(status);
    } else if (status === 200) {
      this.#connect();
    } else {
      this.#timer = setTimeout(() => this.#ask(), RECONNECT * 2);
    }
  }
}
