// The platform's side of a module in a frame: opens it, renews its session before it ends, and heeds its
// refusals. docs/platform.md says why it does what it does. It depends on nothing.

const MINUTE = 60_000;

/** What a new token mends. Every other reason is for people to read. */
const MENDED_BY_A_TOKEN = ["token.expired", "token.missing", "exchange.subject"];

/**
 * Opens a module in a frame of this page, and keeps its session alive until `close()`.
 *
 * @param {HTMLIFrameElement} frame Stands in the document already, without `src`.
 * @param {object} options
 * @param {string} options.module The module's address. Its path and query are kept.
 * @param {() => Promise<null | { token: string, expires_in: number }>} options.mint Asks the platform for a
 *   token; `expires_in` is its life in seconds. `null`: this visitor has no access any more. A rejection is
 *   tried again.
 * @param {(reason: string) => void} [options.refused] Called once at most, at the end: with Vigile's reason,
 *   or with `mint.none` where `mint` gave `null`.
 * @param {string} [options.refresh] `embed.refresh` of the policy.
 * @returns {{ close: () => void }}
 */
export function openModule(frame, { module, mint, refused = () => {}, refresh = "/.vigile/refresh" }) {
  if (!frame.isConnected) throw new TypeError("the frame must stand in the document");
  const address = new URL(module);
  const page = frame.ownerDocument;
  const closing = new AbortController();
  const closed = closing.signal;
  let opened = false; // the frame shows the module, as far as anybody has said
  let busy = false;
  let foreign = false; // another account's session is there: the page's own fetch may replace it, and no frame
  let again = false; // a refusal came while a token was on its way
  let due = 0; // when the next token is needed
  let failures = 0;
  let mended = -Infinity;
  let timer;

  async function renew() {
    if (!frame.isConnected) closing.abort();
    if (busy || closed.aborted) return;
    [busy, again] = [true, false];
    due = await attempt();
    [busy, due] = [false, again ? Date.now() : due];
    if (closed.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(renew, Math.min(Math.max(due - Date.now(), 0), 2 ** 31 - 1)); // no timer is longer
  }

  /** One token, and what it is for. Gives the time of the next one. */
  async function attempt() {
    const asked = Date.now(); // before the token was made; this clock is never compared with the platform's
    try {
      const minted = await mint();
      if (closed.aborted) return due;
      if (!minted) return end("mint.none");
      const life = minted.expires_in * 1000;
      if (!(life > 0)) throw new TypeError("mint: expires_in is the token's life in seconds");
      const opens = !opened;
      const reason = opens && !foreign ? null : await refreshed(minted.token);
      if (reason) return mends(reason) ? Date.now() : end(reason);
      if (opens && !closed.aborted) open(minted.token);
      failures = 0;
      return asked + life * (0.7 + Math.random() / 10);
    } catch (error) {
      if (!closed.aborted) console.warn("vigile-frame: will try again:", error);
      failures += 1;
      return Date.now() + Math.min(MINUTE, 1000 * 2 ** failures) * (0.5 + Math.random() / 2);
    }
  }

  /** Not by `src`: the token would stand in the page, and every opening in the history. */
  function open(token) {
    frame.contentWindow.location.replace(withToken(address, token));
    [opened, foreign] = [true, false];
  }

  /** Fetches a fresh cookie. Gives the reason of a refusal; an answer that is not Vigile's is thrown. */
  async function refreshed(token) {
    const how = { mode: "cors", credentials: "include", referrerPolicy: "no-referrer", signal: closed };
    const answer = await fetch(withToken(new URL(refresh, address), token), how);
    if (answer.ok) return null;
    const reason = answer.headers.get("vigile-reason");
    if (!reason) throw new Error(`the refresh was answered by ${answer.status}`);
    return reason;
  }

  function heed({ source, origin, data }) {
    if (source !== frame.contentWindow || origin !== address.origin) return;
    if (data?.type !== "vigile:refused" || !opened) return;
    if (!mends(data.reason)) return end(String(data.reason));
    [opened, foreign, again] = [false, data.reason === "exchange.subject", true];
    renew();
  }

  /** Once a minute at most: where the browser keeps no cookie, it would go round and round. */
  function mends(reason) {
    if (!MENDED_BY_A_TOKEN.includes(reason) || Date.now() - mended < MINUTE) return false;
    mended = Date.now();
    return true;
  }

  function end(reason) {
    if (!closed.aborted) queueMicrotask(() => refused(reason)); // its errors are its own
    closing.abort();
    return due;
  }

  /** Timers stand still while a machine sleeps, and run late in a hidden tab. */
  function wake() {
    if (page.visibilityState === "visible" && Date.now() >= due) renew();
  }

  closed.addEventListener("abort", () => clearTimeout(timer));
  page.defaultView.addEventListener("message", heed, { signal: closed });
  page.addEventListener("visibilitychange", wake, { signal: closed });
  renew();
  return { close: () => closing.abort() };
}

function withToken(address, token) {
  const url = new URL(address);
  url.search += `${url.search ? "&" : "?"}token=${encodeURIComponent(token)}`;
  return url.href;
}
