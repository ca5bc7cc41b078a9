{
  const { platform, reason } = document.body.dataset;
  const framed = window.top !== window;
  if (platform && framed) window.parent.postMessage({ type: "vigile:refused", reason }, platform);
  if (platform && !framed) setTimeout(() => location.replace(platform), 8000);
}
