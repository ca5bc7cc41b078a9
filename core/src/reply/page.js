{
  const { platform, reason } = document.body.dataset;
  const framed = window.top !== window;
  if (platform && framed) window.parent.postMessage({ type: "vigile:refused", reason }, platform);
  if (platform && !framed) {
    const leaving = setTimeout(() => location.replace(platform), 8000);
    const soon = document.querySelector(".soon");
    soon.hidden = false;
    soon.querySelector("button").addEventListener("click", () => {
      clearTimeout(leaving);
      soon.hidden = true;
      document.querySelector("a").focus();
    });
  }
}
