// What a platform's page does around a module's frame (docs/platform.md): it asks its own server for a
// token, opens the frame with it, renews the session before its end, and says so when the module refuses.
// The query says what a test wants: user, life (seconds, of the first session), key, renew=no, module.
const query = new URLSearchParams(location.search);
const module_origin = query.get("module") ?? "https://stablediffusion.regispailler.fr";
const frame = document.getElementById("module");
const again = document.getElementById("again");
// For tests: what came by postMessage, the statuses of renewals, the ends of the sessions that were opened.
const seen = { messages: [], renewals: [], ends: [] };

async function session(wishes) {
  const wish = new URLSearchParams({ user: query.get("user"), life: "3600", ...wishes });
  const answer = await fetch(`/session?${wish}`, { cache: "no-store" });
  return answer.json();
}

async function open(wishes) {
  const { token, expires } = await session(wishes);
  seen.ends.push(expires * 1000);
  const address = `${module_origin}/?token=${token}`;
  // The frame of a running page is replaced, so that the history does not grow.
  if (frame.src) frame.contentWindow.location.replace(address);
  else frame.src = address;
  again.hidden = true;
  say("");
  plan(expires);
}

async function renew() {
  const { token, expires } = await session({ life: query.get("life") ?? "3600" });
  const answer = await fetch(`${module_origin}/.vigile/refresh?token=${token}`, {
    mode: "cors",
    credentials: "include",
    referrerPolicy: "no-referrer",
  });
  seen.renewals.push(answer.status);
  if (answer.ok) plan(expires);
}

function plan(expires) {
  const left = expires * 1000 - Date.now();
  if (query.get("renew") !== "no" && left > 0) setTimeout(renew, Math.min(left * 0.6, 2 ** 31 - 1));
}

function say(text) {
  document.getElementById("status").textContent = text;
}

addEventListener("message", ({ origin, data }) => {
  seen.messages.push({ origin, data });
  if (origin !== module_origin || data?.type !== "vigile:refused") return;
  say(data.reason === "token.expired" ? "The session has ended." : "The module refused access.");
  again.hidden = false;
});
again.addEventListener("click", () => open({}));

if (query.has("user")) {
  document.getElementById("user").textContent = query.get("user");
  const wishes = ["life", "key"].filter((name) => query.has(name)).map((name) => [name, query.get(name)]);
  open(Object.fromEntries(wishes));
}
