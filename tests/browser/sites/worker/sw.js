// Service workers as apps have them: `pass-through` sends every request once more, `cache-first` keeps a shell of the app
// and answers with it whatever the query is, `preload` has the browser ask while the worker starts.
const kind = new URLSearchParams(location.search).get("kind");
const SHELL = ["/", "/app.mjs"];
const seen = [];

const answers = {
  "pass-through": ({ request }) => fetch(request),
  "cache-first": async ({ request }) => (await caches.match(request, { ignoreSearch: true })) ?? fetch(request),
  "preload": async ({ request, preloadResponse }) => (await preloadResponse) ?? fetch(request),
};

async function install() {
  if (kind === "cache-first") await (await caches.open("shell")).addAll(SHELL);
  await skipWaiting();
}

async function activate() {
  if (kind === "preload") await registration.navigationPreload.enable();
  await clients.claim();
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", ({ data, ports }) => data === "seen" && ports[0].postMessage(seen));
addEventListener("fetch", (event) => {
  const { mode, url, referrer } = event.request;
  seen.push({ mode, url, referrer });
  event.respondWith(answers[kind](event));
});
