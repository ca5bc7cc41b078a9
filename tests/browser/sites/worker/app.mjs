// An app that works with a service worker or without one, as a test wants it.
const { serviceWorker } = navigator;

/** Has a worker of this kind answer for this page and for every later one. */
async function install(kind) {
  const controls = new Promise((done) => (serviceWorker.oncontrollerchange = done));
  await serviceWorker.register(`/sw.js?kind=${kind}`);
  await controls;
}

/** Tells how a call to the server went, which no worker of these answers by itself. */
const call = async () => (await fetch("/call.txt", { cache: "no-store" })).status;

/** Asks the worker for the requests that went through it. */
const seen = () =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => done(data);
    serviceWorker.controller.postMessage("seen", [port2]);
  });

globalThis.app = { install, call, seen };
