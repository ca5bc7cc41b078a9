// The platform's page of docs/platform.md, around the script that is handed out there. The query says what a
// test wants: the user and the module; the key and the life of the first token, in seconds; and `told`, the
// life that the platform claims where it is wrong about it. `src` opens the frame without the script, by the
// attribute, as in 000_c7cfb956090c32fd.txt; `by-address` has the script put the token into the frame's address.
import { openModule } from "/vigile-frame.js";

const HOUR = 3600;
const query = new URLSearchParams(location.search);
const module = query.get("module") ?? "https://stablediffusion.regispailler.fr";
// What came by postMessage, when the sessions end, how the script ended, and its states.
const seen = { messages: [], ends: [], refused: [], states: [] };
const lives = query.getAll("life").map(Number);

async function minted(life) {
  const wish = new URLSearchParams({ user: query.get("user"), key: query.get("key") ?? "iahome", life });
  const answer = await fetch(`/token?${wish}`, { method: "POST" });
  const token = await answer.json();
  seen.ends.push(Date.now() + life * 1000);
  return token;
}

async function mint() {
  const { token, expires_in } = await minted(lives.shift() ?? HOUR);
  return { token, expires_in: Number(query.get("told") ?? expires_in) };
}

/** Has the session end in so many seconds, as docs/platform.md signs a visitor out. */
async function endIn(seconds) {
  const { token } = await minted(seconds);
  const how = { mode: "cors", credentials: "include", referrerPolicy: "no-referrer" };
  return (await fetch(`${module}/.vigile/refresh?token=${token}`, how)).status;
}

addEventListener("message", ({ origin, data }) => seen.messages.push({ origin, data }));
if (query.has("user")) {
  document.querySelector("#user").textContent = query.get("user");
  const frame = document.querySelector("#module");
  if (query.has("src")) frame.src = `${module}/?token=${(await mint()).token}`;
  else openModule(frame, {
    module: `${module}/`,
    mint,
    refresh: query.has("by-address") ? null : undefined,
    changed: (state, why) => seen.states.push(why ? `${state} ${why}` : state),
    refused(reason) {
      seen.refused.push(reason);
      document.querySelector("#refusal").textContent = `The module cannot be opened (${reason}).`;
    },
  });
}
Object.assign(globalThis, { seen, endIn });
