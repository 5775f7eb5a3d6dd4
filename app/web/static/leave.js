// Leaves at once: nothing of Plek is shown any more in this tab, and the way back does not lead here either.
// It is loaded before anything is shown, and works without any other script.
(() => {
  "use strict";
  const neutral = document.currentScript.dataset.neutral;
  const LEFT = "plek-left";
  const PRESSES = 3;
  const WITHIN_MS = 1500;

  const blank = () => {
    document.documentElement.hidden = true;
    document.title = "…";
  };

  const leave = () => {
    blank();
    // What this device keeps goes as well; the worker that kept it outlives this page, but may not be in charge of it.
    navigator.serviceWorker?.controller?.postMessage("forget");
    window.caches?.delete("plek-kept").catch(() => false);
    try {
      sessionStorage.clear();
      sessionStorage.setItem(LEFT, "yes");
    } catch {
      // A browser that keeps nothing has nothing to forget.
    }
    document.documentElement.replaceChildren();
    window.location.replace(neutral);
  };

  const stayAway = () => {
    let left = false;
    try {
      left = sessionStorage.getItem(LEFT) === "yes";
      // Whoever asks for the start page by itself means to come back.
      if (left && window.location.pathname === "/" && performance.getEntriesByType("navigation")[0]?.type === "navigate") {
        sessionStorage.removeItem(LEFT);
        left = false;
      }
    } catch {
      return;
    }
    if (left) {
      blank();
      window.location.replace(neutral);
    }
  };

  stayAway();
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      stayAway();
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-leave]")) {
      leave();
    }
  });

  let presses = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") {
      presses = [];
      return;
    }
    if (event.repeat) {
      return;
    }
    presses = [...presses.filter((at) => event.timeStamp - at < WITHIN_MS), event.timeStamp];
    if (presses.length >= PRESSES) {
      leave();
    }
  });
})();
