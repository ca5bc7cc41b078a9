// The platform's side of a module in a frame: opens it, renews its session before it ends, heeds its refusals, and says
// how it stands. docs/platform.md says why it does what it does. It depends on nothing.

const MINUTE = 60_000;

/** What a new token mends. Every other reason is for people to read. */
const MENDED_BY_A_TOKEN = ["token.expired", "token.missing", "exchange.subject"];

/** Hosts of a private network, which a browser may keep pages of the internet from (Local Network Access). */
const PRIVATE =
  /^(?:[^.:]+|.*\.(?:localhost|local|internal|lan|home\.arpa)|(?:10|127)\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|\[(?:::1|f[cd]|fe80).*)$/;

/**
 * Opens a module in a frame of this page, and keeps its session alive until `close()`.
 *
 * @param {HTMLIFrameElement} frame Stands in the document already, without `src`.
 * @param {object} options
 * @param {string} options.module The module's address. Its path and query are kept.
 * @param {() => Promise<null | { token: string, expires_in: number }>} options.mint Asks the platform for a
 *   token; `expires_in` is its life in seconds. `null`: this visitor has no access any more. A rejection is
 *   tried again.
 * @param {(state: State, why?: string) => void} [options.changed] Called whenever the state changes.
 * @param {(reason: string) => void} [options.refused] Called once at most, at the end: with Vigile's reason,
 *   or with `mint.none` where `mint` gave `null`.
 * @param {string | null} [options.refresh] `embed.refresh` of the policy. `null`: it has none.
 * @param {string} [options.parameter] `credentials.query` of the policy. Where it differs, the module says so.
 * @returns {{ close: () => void }}
 *
 * @typedef {"opening" | "open" | "refreshing" | "refused" | "blocked" | "unreachable" | "network"} State
 *   `refused` and `blocked` are final, and `why` is Vigile's reason; `blocked`: the browser keeps no cookie of the
 *   module. `unreachable` and `network` are tried again: the platform (`mint`), the module (`module`) or the app
 *   behind it (`status.503`) does not answer; `network`: the module is in a private network, and the page is not.
 */
export function openModule(frame, options) {
  const { module, mint, changed = () => {}, refused = () => {}, refresh = "/.vigile/refresh" } = options;
  if (!frame.isConnected) throw new TypeError("the frame must stand in the document");
  const address = new URL(module);
  const page = frame.ownerDocument;
  const closing = new AbortController();
  const closed = closing.signal;
  let parameter = options.parameter ?? "token";
  let state;
  let opened = false; // the frame shows the module, as far as anybody has said
  let spoke = false; // the page in the frame is one of Vigile's
  let leaving = false; // such a page gives way to another opening, and may still be loading
  let loads = 0;
  let byAddress = refresh === null; // the next opening has the token in its address
  let busy = false;
  let again = false; // a refusal came while a token was on its way
  let held = null; // the last token
  let due = 0; // when the next token is needed
  let ends = 0; // the end of the session that was opened last
  let failures = 0;
  let mended = -Infinity;
  let timer;

  function become(next, why) {
    if (closed.aborted || `${next} ${why}` === state) return;
    state = `${next} ${why}`;
    queueMicrotask(() => changed(next, why)); // its errors are its own
  }

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
    if (!opened && !failures) become("opening");
    let silent = "mint";
    try {
      // Whatever fails, one token is enough until it is old.
      if (!held || held.used || Date.now() >= held.old) held = await minted();
      if (closed.aborted) return due;
      if (!held) return end("mint.none");
      silent = "module";
      if (opened) become("refreshing");
      const opens = !opened;
      const reason = opens && byAddress ? null : await refreshed(held.token, opens);
      if (reason) return mends(reason) ? Date.now() : end(reason);
      if (closed.aborted) return due;
      if (opens) open();
      else become("open");
      [failures, ends, held.used] = [0, held.end, true];
      return refresh === null ? Infinity : held.old;
    } catch (error) {
      if (closed.aborted) return due;
      console.warn("vigile-frame: will try again:", error);
      failures += 1;
      if (!opened || Date.now() >= ends) become(...(await unanswered(silent)));
      return Date.now() + Math.min(MINUTE, 1000 * 2 ** failures) * (0.5 + Math.random() / 2);
    }
  }

  async function minted() {
    const asked = Date.now(); // before the token was made; this clock is never compared with the platform's
    const answer = await mint();
    if (!answer) return null;
    const life = answer.expires_in * 1000;
    if (!(life > 0)) throw new TypeError("mint: expires_in is the token's life in seconds");
    return { token: answer.token, old: asked + life * (0.7 + Math.random() / 10), end: asked + life };
  }

  /** Not by `src`: a token would stand in the page, and every opening in the history. */
  function open() {
    const target = byAddress ? withToken(address, parameter, held.token) : address.href;
    become("opening");
    [opened, spoke] = [true, false];
    frame.contentWindow.location.replace(target);
  }

  /**
   * Fetches a fresh cookie. Gives the reason of a refusal; an answer that is not Vigile's is thrown. A module that is
   * there, and lets this page read nothing, is opened by its address.
   */
  async function refreshed(token, opens) {
    const how = { mode: "cors", credentials: "include", referrerPolicy: "no-referrer", signal: closed };
    let answer;
    try {
      answer = await fetch(withToken(new URL(refresh, address), parameter, token), how);
    } catch (error) {
      if (!opens || !(await isThere())) throw error;
      byAddress = true;
      return null;
    }
    if (answer.ok) return null;
    const reason = answer.headers.get("vigile-reason");
    if (!reason) throw new Error(`the refresh was answered by ${answer.status}`);
    const named = answer.headers.get("vigile-parameter");
    if (reason !== "token.missing" || !named || named === parameter) return reason;
    parameter = named;
    return refreshed(token, opens);
  }

  const isThere = () =>
    fetch(address.origin, { mode: "no-cors", credentials: "omit", cache: "no-store", signal: closed }).then(
      () => true,
      () => false,
    );

  /** The state where nobody answers. */
  async function unanswered(silent) {
    if (silent === "mint" || failures < 3) return ["unreachable", silent];
    const here = page.defaultView.location?.hostname ?? "";
    if (PRIVATE.test(address.hostname) && !PRIVATE.test(here)) return ["network", silent];
    const asked = globalThis.navigator?.permissions?.query({ name: "local-network-access" });
    const permission = await asked?.catch(() => null); // browsers without it know no such name
    return [permission?.state === "denied" ? "network" : "unreachable", silent];
  }

  function heed({ source, origin, data }) {
    if (source !== frame.contentWindow || origin !== address.origin || !opened) return;
    if (data?.type === "vigile:unavailable") {
      spoke = true;
      become("unreachable", `status.${Number(data.status)}`); // the page in the frame asks again by itself
    }
    if (data?.type === "vigile:refused") turnedAway(String(data.reason));
  }

  function turnedAway(reason) {
    spoke = true;
    // A cookie that a fetch sets is not kept by every browser that keeps one in a frame.
    const inFrame = reason === "token.missing" && !byAddress;
    if (!inFrame && !mends(reason)) return end(reason);
    if (inFrame) held.used = false;
    leaving = true;
    [opened, byAddress, again] = [false, inFrame || refresh === null, true];
    renew();
  }

  /** Once a minute at most: where the browser keeps no cookie, it would go round and round. */
  function mends(reason) {
    if (!MENDED_BY_A_TOKEN.includes(reason) || Date.now() - mended < MINUTE) return false;
    [mended, held] = [Date.now(), null];
    return true;
  }

  function end(reason) {
    become(reason === "cookie.blocked" ? "blocked" : "refused", reason);
    if (!closed.aborted) queueMicrotask(() => refused(reason));
    closing.abort();
    return due;
  }

  /** A page of Vigile's says what it is while it loads. A load behind one that is left may be its own. */
  function loaded() {
    const patience = leaving ? 2000 : 250;
    leaving = false;
    if (!opened) return;
    const load = ++loads;
    setTimeout(() => {
      if (load !== loads) return;
      if (opened && !busy && !spoke) become("open");
      spoke = false;
    }, patience);
  }

  /** Timers stand still while a machine sleeps, and run late in a hidden tab. */
  function wake() {
    if (page.visibilityState === "visible" && Date.now() >= due) renew();
  }

  closed.addEventListener("abort", () => clearTimeout(timer));
  frame.addEventListener("load", loaded, { signal: closed });
  page.defaultView.addEventListener("message", heed, { signal: closed });
  page.addEventListener("visibilitychange", wake, { signal: closed });
  renew();
  return { close: () => closing.abort() };
}

function withToken(address, parameter, token) {
  const url = new URL(address);
  url.search += `${url.search ? "&" : "?"}${encodeURIComponent(parameter)}=${encodeURIComponent(token)}`;
  return url.href;
}
