{
  const { body, documentElement: page } = document;
  const { platform, status } = body.dataset;
  const language = navigator.language.startsWith("fr") ? "fr" : "en";
  page.lang = language;
  body.classList.add(language);
  document.title = document.title.split(" · ")[language === "fr" ? 1 : 0];
  if (platform && window.top !== window) {
    window.parent.postMessage({ type: "vigile:unavailable", status: Number(status) }, platform);
  }
  const button = document.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => location.reload());
  let wait = 2000;
  const ask = async () => {
    const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" }).catch(() => null);
    if (answer && ![502, 503, 504].includes(answer.status)) return location.reload();
    wait = Math.min(wait * 1.5, 30000);
    setTimeout(ask, wait);
  };
  if (status !== "429") setTimeout(ask, wait);
}
