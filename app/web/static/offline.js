// The switch on the country page: whether this device keeps the overview for when there is no connection.
(() => {
  "use strict";
  const CACHE = "plek-kept";
  const WORKER = "/service-worker.js";
  const AGAIN_MS = 5 * 60 * 1000;
  const section = document.querySelector("[data-offline]");
  if (!section || !("serviceWorker" in navigator) || !("caches" in window)) {
    return;
  }
  const part = (name) => section.querySelector(`[data-offline-${name}]`);
  let last = 0;

  const show = (on, failed = false) => {
    part("on").hidden = !on;
    part("off").hidden = on || failed;
    part("failed").hidden = !failed;
    part("keep").hidden = on;
    part("forget").hidden = !on;
    section.dataset.offline = on ? "on" : "off";
    section.hidden = false;
  };

  const chosen = async () => Boolean(await navigator.serviceWorker.getRegistration("/")) && (await caches.has(CACHE));

  const told = (worker) =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (event) => resolve(event.data === true);
      worker.postMessage("keep", [port2]);
    });

  const keep = async () => {
    last = Date.now();
    const { active } = await navigator.serviceWorker.ready;
    return told(active);
  };

  const forget = async () => {
    await caches.delete(CACHE);
    for (const registration of await navigator.serviceWorker.getRegistrations()) {
      await registration.unregister();
    }
  };

  part("keep").addEventListener("click", async () => {
    part("keep").disabled = true;
    let done = false;
    try {
      await navigator.serviceWorker.register(WORKER, { updateViaCache: "none" });
      done = await keep();
    } catch {
      done = false;
    }
    if (!done) {
      await forget();
    }
    part("keep").disabled = false;
    show(done, !done);
    part(done ? "forget" : "keep").focus();
  });

  part("forget").addEventListener("click", async () => {
    await forget();
    show(false);
    part("keep").focus();
  });

  const again = async () => {
    if (Date.now() - last > AGAIN_MS && (await chosen())) {
      await keep();
      show(await chosen());
    }
  };

  document.body.addEventListener("htmx:afterSwap", again);
  chosen().then((on) => {
    show(on);
    return again();
  });
})();
