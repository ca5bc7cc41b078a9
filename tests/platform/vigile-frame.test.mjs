// docs/vigile-frame.js against a page, a frame, a clock and a gate that are made up here: what it asks for, and when.
// Run by tests/suites/platform.rs, in a folder with the files of docs/platform.md.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { beforeEach, test } from "node:test";
import { runInNewContext } from "node:vm";
import { openModule } from "./vigile-frame.js";

const MODULE = "https://stablediffusion.regispailler.fr";
const PLATFORM = "https://iahome.fr";
const MINUTE = 60_000;
const LIFE = 900;

/** The clock and the timers, by hand. */
const clock = { now: 0, timers: new Map(), made: 0 };
Date.now = () => clock.now;
globalThis.setTimeout = (call, delay) => {
  // As browsers have it: what fits in no 32 bits, and what is no number, is no delay at all.
  const sane = delay >= 0 && delay < 2 ** 31 ? delay : 0;
  clock.timers.set(++clock.made, { call, at: clock.now + sane });
  return clock.made;
};
globalThis.clearTimeout = (id) => clock.timers.delete(id);

/** Lets every promise that can go on go on. */
const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await null;
};

/** Time passes, and timers ring on the way. */
async function pass(span) {
  const end = clock.now + span;
  await settled();
  for (;;) {
    const [id, next] = [...clock.timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
    if (!next || next.at > end) break;
    clock.timers.delete(id);
    clock.now = Math.max(clock.now, next.at);
    next.call();
    await settled();
  }
  clock.now = end;
}

/** Time passes, and no timer rings: the lid was closed. */
const sleep = (span) => (clock.now += span);

/** A page with a frame, and what became of it. */
function stage({ random = 0.5, address = `${MODULE}/`, isConnected = true, ...options } = {}) {
  const seen = { minted: 0, opened: [], fetched: [], refused: [], warned: [], states: [] };
  const answers = [];
  const view = new EventTarget();
  const page = Object.assign(new EventTarget(), { defaultView: view, visibilityState: "visible" });
  const contentWindow = { location: { replace: (address) => seen.opened.push(address) } };
  const frame = Object.assign(new EventTarget(), { isConnected, ownerDocument: page, contentWindow });
  Math.random = () => random;
  console.warn = (...words) => seen.warned.push(words.join(" "));
  globalThis.fetch = async (address, init) => {
    seen.fetched.push({ address, init });
    init.signal?.throwIfAborted();
    const answer = (await answers.shift()) ?? 204;
    if (answer instanceof Error) throw answer;
    const { status, reason, parameter } = typeof answer === "number" ? { status: answer } : answer;
    const headers = new Headers();
    if (reason) headers.set("vigile-reason", reason);
    if (parameter) headers.set("vigile-parameter", parameter);
    return new Response(null, { status, headers });
  };
  const mint = async () => ({ token: `t${++seen.minted}`, expires_in: LIFE });
  const refused = (reason) => seen.refused.push(reason);
  const changed = (state, why) => seen.states.push(why ? `${state} ${why}` : state);
  const session = openModule(frame, { module: address, mint, refused, changed, ...options });
  const say = (data, from = {}) => {
    const message = { source: contentWindow, origin: MODULE, data, ...from };
    view.dispatchEvent(Object.assign(new Event("message"), message));
  };
  const refusal = (reason) => say({ type: "vigile:refused", reason });
  const load = () => frame.dispatchEvent(new Event("load"));
  const show = (visibilityState) => {
    page.visibilityState = visibilityState;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  return { seen, session, frame, view, answers, say, refusal, show, load };
}

beforeEach(() => {
  clock.now = 1_000_000;
  clock.timers.clear();
});

test("the session comes first, and the frame's address holds no token: an app that can read it learns none", async () => {
  const { seen, frame, load } = stage({ address: `${MODULE}/app?__theme=dark&q=a%20b` });
  await settled();
  assert.deepEqual(seen.fetched.map(({ address }) => address), [`${MODULE}/.vigile/refresh?token=t1`]);
  assert.deepEqual(seen.opened, [`${MODULE}/app?__theme=dark&q=a%20b`]);
  assert.equal(frame.src, undefined);
  assert.deepEqual(seen.states, ["opening"]);
  load();
  await pass(250);
  assert.deepEqual(seen.states, ["opening", "open"]);
});

test("the load of a page that was turned away is not the next page's", async () => {
  const { seen, load, refusal } = stage();
  await settled();
  refusal("token.missing");
  await settled();
  assert.equal(seen.opened.length, 2);
  load();
  await pass(500);
  assert.deepEqual(seen.states, ["opening"]);
  refusal("cookie.blocked");
  await pass(5000);
  assert.deepEqual(seen.states, ["opening", "blocked cookie.blocked"]);
});

test("where that page never loads, the next one is open all the same", async () => {
  const { seen, load, refusal } = stage();
  await settled();
  refusal("token.missing");
  await settled();
  load();
  await pass(2000);
  assert.deepEqual(seen.states, ["opening", "open"]);
});

test("a module without a refresh is opened by its address, and keeps its path and query", async () => {
  const { seen, refusal } = stage({ address: `${MODULE}/app?q=a%20b`, refresh: null });
  await pass(60 * MINUTE);
  assert.deepEqual(seen.opened, [`${MODULE}/app?q=a%20b&token=t1`]);
  assert.deepEqual([seen.fetched, seen.minted], [[], 1]);
  refusal("token.expired");
  await settled();
  assert.deepEqual(seen.opened.slice(1), [`${MODULE}/app?q=a%20b&token=t2`]);
});

test("a token is sent as it is", async () => {
  const { seen } = stage({ refresh: null, mint: async () => ({ token: "a&b=c d", expires_in: LIFE }) });
  await settled();
  assert.deepEqual(seen.opened, [`${MODULE}/?token=a%26b%3Dc%20d`]);
});

test("the module says by which parameter it is opened", async () => {
  const { seen, answers, refusal } = stage();
  answers.push({ status: 401, reason: "token.missing", parameter: "vt" });
  await settled();
  assert.deepEqual(seen.fetched.map(({ address }) => address), [
    `${MODULE}/.vigile/refresh?token=t1`,
    `${MODULE}/.vigile/refresh?vt=t1`,
  ]);
  assert.deepEqual([seen.opened, seen.minted], [[`${MODULE}/`], 1]);
  refusal("token.missing");
  await settled();
  assert.deepEqual(seen.opened.slice(1), [`${MODULE}/?vt=t1`]);
  const named = stage({ parameter: "vt" });
  await settled();
  assert.equal(named.seen.fetched[0].address, `${MODULE}/.vigile/refresh?vt=t1`);
});

test("a browser that keeps no cookie of a fetch is led to an address with the token, once", async () => {
  const { seen, refusal } = stage();
  await settled();
  refusal("token.missing");
  await settled();
  assert.deepEqual(seen.opened, [`${MODULE}/`, `${MODULE}/?token=t1`]);
  assert.deepEqual([seen.minted, seen.refused], [1, []]);
});

test("a browser that keeps no cookie at all is said to", async () => {
  const { seen, refusal } = stage();
  await settled();
  refusal("token.missing");
  await settled();
  refusal("cookie.blocked");
  await pass(60 * MINUTE);
  assert.deepEqual(seen.states, ["opening", "blocked cookie.blocked"]);
  assert.deepEqual([seen.refused, seen.minted, seen.opened.length], [["cookie.blocked"], 1, 2]);
});

test("a module whose refresh this page may not read is opened by its address", async () => {
  const { seen, answers } = stage();
  answers.push(new TypeError("Failed to fetch"), 401);
  await settled();
  assert.deepEqual(seen.fetched.map(({ init }) => init.mode), ["cors", "no-cors"]);
  assert.deepEqual(seen.opened, [`${MODULE}/?token=t1`]);
});

test("a module that does not answer is asked again with the same token until it does", async () => {
  const { seen, answers } = stage({ random: 0 });
  answers.push(...Array(12).fill(new TypeError("Failed to fetch")));
  await pass(5 * MINUTE);
  assert.deepEqual(seen.states, ["opening", "unreachable module", "opening"]);
  assert.equal(seen.minted, 1);
  assert.deepEqual(seen.opened, [`${MODULE}/`]);
});

for (const [here, there, state] of [
  ["iahome.fr", "https://192.168.1.20", "network"],
  ["iahome.fr", "https://studio.internal", "network"],
  ["iahome.fr", "https://studio", "network"],
  ["iahome.fr", "https://[fd00::1]", "network"],
  ["192.168.1.2", "https://192.168.1.20", "unreachable"],
  ["iahome.fr", "https://172.32.0.1", "unreachable"],
  ["iahome.fr", "https://10.example.org", "unreachable"],
]) {
  test(`${there} that does not answer a page of ${here} is ${state}`, async () => {
    const { seen, answers, view } = stage({ address: there });
    view.location = { hostname: here };
    answers.push(...Array(100).fill(new TypeError("Failed to fetch")));
    await pass(3 * MINUTE);
    assert.equal(seen.states.at(-1), `${state} module`);
    assert.equal(seen.minted, 1);
  });
}

test("a page that the browser keeps from the local network says so", async () => {
  const { seen, answers } = stage();
  const asked = [];
  const query = async ({ name }) => (asked.push(name), { state: "denied" });
  Object.defineProperty(globalThis, "navigator", { value: { permissions: { query } }, configurable: true });
  answers.push(...Array(100).fill(new TypeError("Failed to fetch")));
  await pass(3 * MINUTE);
  delete globalThis.navigator;
  assert.equal(seen.states.at(-1), "network module");
  assert.deepEqual(new Set(asked), new Set(["local-network-access"]));
});

test("an app that is down is said to be, and to be back", async () => {
  const { seen, say, load } = stage();
  await settled();
  say({ type: "vigile:unavailable", status: 503 });
  load();
  await pass(MINUTE);
  assert.deepEqual(seen.states, ["opening", "unreachable status.503"]);
  // Its page asks again by itself.
  load();
  await pass(250);
  assert.equal(seen.states.at(-1), "open");
  assert.deepEqual([seen.minted, seen.opened.length], [1, 1]);
});

test("a session is refreshing while it is, and unreachable once it has ended", async () => {
  const { seen, answers, load } = stage();
  await settled();
  load();
  await pass(250);
  answers.push(...Array(20).fill(new TypeError("Failed to fetch")));
  await pass(LIFE * 1000 * 0.75);
  assert.deepEqual(seen.states, ["opening", "open", "refreshing"]);
  await pass(LIFE * 1000 * 0.25 + MINUTE);
  assert.equal(seen.states.at(-1), "unreachable module");
  await pass(60 * MINUTE);
  assert.equal(seen.states.at(-1), "open");
});

test("the session is refreshed at 70 to 80 percent of its life, again and again", async () => {
  for (const [random, share] of [[0, 0.7], [0.5, 0.75], [0.999, 0.7999]]) {
    const { seen, session } = stage({ random });
    const due = LIFE * 1000 * share;
    await pass(due - 1);
    assert.equal(seen.fetched.length, 1, `${random}`);
    await pass(1);
    assert.equal(seen.fetched.length, 2, `${random}`);
    await pass(due);
    assert.equal(seen.fetched.length, 3, `${random}`);
    assert.equal(seen.opened.length, 1);
    session.close();
  }
});

test("a timer that rings a moment early renews with a new token all the same", async () => {
  const { seen } = stage();
  await settled();
  for (const timer of clock.timers.values()) timer.at -= 1;
  await pass(LIFE * 1000);
  assert.deepEqual(seen.fetched.map(({ address }) => address.split("=")[1]), ["t1", "t2"]);
});

test("the refresh is the one that the document shows", async () => {
  const { seen, session } = stage();
  await pass(LIFE * 1000);
  session.close();
  const { address, init } = seen.fetched[1];
  const { signal, ...how } = init;
  assert.ok(signal instanceof AbortSignal);
  seen.fetched.length = 0;
  await import("./refresh.mjs");
  assert.deepEqual(seen.fetched, [{ address: address.replace("t2", "NEW"), init: how }]);
});

test("the refresh path may be another one, and stays on the module", async () => {
  const { seen } = stage({ address: `${MODULE}/deep/app?x=1`, refresh: "/again" });
  await pass(LIFE * 1000);
  assert.equal(seen.fetched[1].address, `${MODULE}/again?token=t2`);
});

test("a life is counted from before its token was asked for", async () => {
  let minted = 0;
  const mint = async () => {
    sleep(5 * MINUTE);
    return { token: `t${++minted}`, expires_in: LIFE };
  };
  const { seen } = stage({ mint });
  await pass(LIFE * 1000 * 0.75 - 5 * MINUTE - 1);
  assert.equal(seen.fetched.length, 1);
  await pass(1);
  assert.equal(seen.fetched.length, 2);
});

test("after a sleep the session is refreshed at once, once, and the app stays", async () => {
  const { seen, show } = stage();
  await settled();
  show("hidden");
  sleep(60 * MINUTE);
  await settled();
  show("hidden");
  await settled();
  assert.equal(seen.fetched.length, 1);
  show("visible");
  show("visible");
  await settled();
  assert.equal(seen.fetched.length, 2);
  assert.equal(seen.opened.length, 1);
});

test("a page that becomes visible before the time changes nothing", async () => {
  const { seen, show } = stage();
  await settled();
  show("hidden");
  sleep(MINUTE);
  show("visible");
  await settled();
  assert.equal(seen.minted, 1);
});

test("a life of months does not ring at once", async () => {
  const { seen } = stage({ mint: async () => ({ token: "t", expires_in: 90 * 24 * 3600 }) });
  await pass(10 * 24 * 60 * MINUTE);
  assert.equal(seen.fetched.length, 1);
});

test("token.expired opens the frame anew, once a minute", async () => {
  const { seen, refusal } = stage();
  await settled();
  refusal("token.expired");
  await settled();
  assert.deepEqual([seen.minted, seen.opened], [2, [`${MODULE}/`, `${MODULE}/`]]);
  await pass(MINUTE);
  refusal("token.expired");
  await settled();
  assert.equal(seen.opened.length, 3);
  await pass(MINUTE - 1);
  refusal("token.expired");
  await pass(60 * MINUTE);
  assert.equal(seen.opened.length, 3);
  assert.deepEqual(seen.refused, ["token.expired"]);
  assert.equal(seen.fetched.length, 3);
});

test("token.missing ends where neither way helps", async () => {
  const { seen, refusal } = stage();
  for (const opened of [[`${MODULE}/`], [`${MODULE}/?token=t1`], [`${MODULE}/`], [`${MODULE}/?token=t2`], []]) {
    await settled();
    assert.deepEqual(seen.opened.splice(0), opened);
    refusal("token.missing");
  }
  await pass(60 * MINUTE);
  assert.deepEqual([seen.refused, seen.minted], [["token.missing"], 2]);
});

test("another account's session is replaced by the page's own fetch, and then the frame is opened", async () => {
  const { seen, answers, refusal } = stage();
  answers.push(new TypeError("Failed to fetch"), 401);
  await settled();
  assert.deepEqual(seen.opened, [`${MODULE}/?token=t1`]);
  refusal("exchange.subject");
  await settled();
  assert.deepEqual([seen.minted, seen.fetched.length], [2, 3]);
  assert.deepEqual(seen.opened.slice(1), [`${MODULE}/`]);
  // Where that does not help, it is said.
  refusal("exchange.subject");
  await settled();
  assert.deepEqual([seen.refused, seen.fetched.length], [["exchange.subject"], 3]);
});

for (const reason of ["token.module", "token.roles", "exchange.too_large", "exchange.insecure", undefined]) {
  test(`${reason} is shown, and ends it`, async () => {
    const { seen, refusal } = stage();
    await settled();
    refusal(reason);
    refusal(reason);
    assert.equal(clock.timers.size, 0);
    await pass(60 * MINUTE);
    assert.deepEqual(seen.refused, [String(reason)]);
    assert.deepEqual([seen.minted, seen.opened.length, seen.fetched.length], [1, 1, 1]);
    assert.deepEqual(seen.states, ["opening", `refused ${reason}`]);
  });
}

test("nobody else can say it", async () => {
  const { seen, say } = stage();
  await settled();
  const data = { type: "vigile:refused", reason: "token.module" };
  say(data, { source: {} });
  say(data, { source: null });
  say(data, { origin: "https://evil.example" });
  say(data, { origin: `${MODULE}.evil.example` });
  say(data, { origin: "null" });
  for (const other of [null, undefined, "vigile:refused", 1, {}, { type: "other", reason: "token.module" }]) say(other);
  await settled();
  assert.deepEqual([seen.refused.length, seen.minted], [0, 1]);
});

test("the block page and this script speak of the same thing", async () => {
  const posted = [];
  const parent = { postMessage: (...message) => posted.push(message) };
  const block = { document: { body: { dataset: { platform: PLATFORM, reason: "token.expired" } } } };
  runInNewContext(await readFile("page.js", "utf8"), { ...block, window: { top: {}, parent } });
  globalThis.parent = parent;
  await import("./message.mjs");
  assert.equal(JSON.stringify(posted[0]), JSON.stringify(posted[1]));
  const { seen, say } = stage();
  await settled();
  say(posted[0][0]);
  await settled();
  assert.equal(seen.opened.length, 2);
});

test("after an opening anew, the time of the refresh is counted anew", async () => {
  const { seen, refusal } = stage();
  await pass(5 * MINUTE);
  refusal("token.expired");
  await pass(LIFE * 1000 * 0.75 - 1);
  assert.equal(seen.fetched.length, 2);
  await pass(1);
  assert.equal(seen.fetched.length, 3);
});

test("two refusals on the way to one token count as one", async () => {
  const { seen, refusal } = stage();
  await settled();
  refusal("token.expired");
  refusal("token.expired");
  await settled();
  assert.deepEqual([seen.refused.length, seen.opened.length], [0, 2]);
});

test("a refusal during a refresh opens the frame after it", async () => {
  const { seen, refusal, answers } = stage();
  await settled();
  let arrive;
  answers.push(new Promise((resolve) => (arrive = resolve)));
  await pass(LIFE * 1000);
  assert.equal(seen.fetched.length, 2);
  refusal("token.expired");
  await settled();
  assert.equal(seen.opened.length, 1);
  arrive(204);
  await pass(0);
  await pass(0);
  assert.deepEqual([seen.opened.slice(1), seen.fetched.at(-1).address.split("=")[1]], [[`${MODULE}/`], "t3"]);
});

test("a visitor without access is told so, and asked for nothing more", async () => {
  const { seen } = stage({ mint: async () => null });
  await settled();
  assert.deepEqual(seen.refused, ["mint.none"]);
  assert.deepEqual([seen.opened.length, clock.timers.size], [0, 0]);
});

test("a platform that does not answer is asked again, a minute apart at most", async () => {
  const asked = [];
  const mint = async () => {
    asked.push(clock.now);
    throw new Error("down");
  };
  const { seen } = stage({ mint, random: 0.999999 });
  await pass(10 * MINUTE);
  const waits = asked.slice(1).map((time, at) => Math.round((time - asked[at]) / 1000));
  assert.deepEqual(waits.slice(0, 7), [2, 4, 8, 16, 32, 60, 60]);
  assert.deepEqual([seen.refused.length, seen.opened.length], [0, 0]);
  assert.match(seen.warned[0], /down/);
});

test("a refresh that fails is tried again with the same token, and then all is as before", async () => {
  const { seen, answers } = stage({ random: 0 });
  await settled();
  answers.push(new TypeError("Failed to fetch"), 503, { status: 429 });
  await pass(LIFE * 1000 * 0.7);
  assert.equal(seen.fetched.length, 2);
  await pass(MINUTE);
  const tokens = seen.fetched.map(({ address }) => address.split("=")[1]);
  assert.deepEqual(tokens, ["t1", "t2", "t2", "t2", "t2"]);
  await pass(LIFE * 1000 * 0.7);
  assert.equal(seen.fetched.length, 6);
  assert.deepEqual([seen.refused.length, seen.opened.length], [0, 1]);
});

test("a refused refresh is told, and an expired token is minted again first", async () => {
  const { seen, answers } = stage();
  await settled();
  answers.push({ status: 401, reason: "token.expired" }, { status: 403, reason: "token.roles" });
  await pass(LIFE * 1000);
  assert.deepEqual([seen.fetched.length, seen.minted], [3, 3]);
  assert.deepEqual(seen.refused, ["token.roles"]);
  await pass(60 * MINUTE);
  assert.equal(seen.fetched.length, 3);
});

test("a gate with another clock is not asked for ever", async () => {
  const { seen, answers } = stage();
  answers.push(...Array(100).fill({ status: 401, reason: "token.expired" }));
  await pass(60 * MINUTE);
  assert.equal(seen.fetched.length, 2);
  assert.deepEqual(seen.refused, ["token.expired"]);
});

test("a mint that forgets the life is told so, and not called in a circle", async () => {
  for (const expires_in of [undefined, 0, -1, "soon", NaN]) {
    const { seen, session } = stage({ mint: async () => ({ token: "t", expires_in }) });
    await pass(1000);
    session.close();
    assert.deepEqual([seen.warned.length, seen.opened.length], [1, 0], `${expires_in}`);
    assert.match(seen.warned[0], /expires_in/);
  }
});

test("after close nothing happens any more", async () => {
  const { seen, session, refusal, show } = stage();
  await settled();
  session.close();
  session.close();
  refusal("token.expired");
  sleep(60 * MINUTE);
  show("visible");
  await pass(60 * MINUTE);
  assert.deepEqual([seen.minted, seen.opened.length, seen.fetched.length, seen.refused.length], [1, 1, 1, 0]);
  assert.equal(clock.timers.size, 0);
});

test("what is on its way at close changes nothing", async () => {
  let arrive;
  const { seen, session } = stage({ mint: () => new Promise((resolve) => (arrive = resolve)) });
  session.close();
  arrive({ token: "t", expires_in: LIFE });
  await pass(60 * MINUTE);
  const refreshing = stage();
  await settled();
  refreshing.answers.push(new Promise((resolve) => (arrive = resolve)));
  await pass(LIFE * 1000);
  refreshing.session.close();
  arrive({ status: 401, reason: "token.module" });
  await pass(60 * MINUTE);
  assert.deepEqual([seen.opened.length, seen.refused.length, refreshing.seen.refused.length], [0, 0, 0]);
  assert.equal(clock.timers.size, 0);
});

test("a frame that was taken away ends it", async () => {
  const { seen, frame } = stage();
  await settled();
  frame.isConnected = false;
  await pass(60 * MINUTE);
  assert.deepEqual([seen.minted, seen.refused.length, clock.timers.size], [1, 0, 0]);
});

test("a frame that stands nowhere, and an address that is none, are mistakes", () => {
  assert.throws(() => stage({ isConnected: false }), TypeError);
  assert.throws(() => stage({ address: "stablediffusion" }), TypeError);
});

test("the page of the document opens the module, says a refusal and closes", async () => {
  const { seen, frame, answers } = stage({ mint: async () => null });
  await settled();
  const [refusal, form] = [{ textContent: "" }, new EventTarget()];
  const elements = { "#module": frame, "#refusal": refusal, "#sign-out": form };
  globalThis.document = { querySelector: (name) => elements[name] };
  const asked = [];
  let status = 200;
  const gate = globalThis.fetch;
  globalThis.fetch = async (address, init) => {
    if (!address.startsWith("/")) return gate(address, init);
    asked.push(`${init.method} ${address}`);
    return Response.json({ token: `t${asked.length}`, expires_in: LIFE }, { status });
  };
  await import("./page.mjs");
  await settled();
  assert.deepEqual(asked, ["POST /modules/stablediffusion/token"]);
  assert.deepEqual(seen.opened, [`${MODULE}/`]);
  status = 503;
  await pass(LIFE * 1000);
  assert.ok(asked.length > 2, "an answer of 503 is tried again");
  assert.equal(refusal.textContent, "");
  status = 200;
  answers.push({ status: 403, reason: "token.roles" });
  await pass(2 * MINUTE);
  assert.match(refusal.textContent, /token\.roles/);
  form.dispatchEvent(new Event("submit"));
  await pass(60 * MINUTE);
  assert.equal(clock.timers.size, 0);
});
