// What every page does while it is open: says whether it is live, and looks again by itself where it is not.
(() => {
  "use strict";
  const LOOK_AGAIN_MS = 10000;
  // The server says something at least every 15 s; twice that and a little more is too long.
  const SILENT_MS = 35000;
  const main = document.querySelector("[data-live]");
  const sentence = document.querySelector("[data-not-live]");
  let looking = 0;

  const lookAgain = () => document.body.dispatchEvent(new CustomEvent("plek:again"));

  const live = (is) => {
    if (sentence) {
      sentence.hidden = is;
    }
    document.documentElement.dataset.live = is ? "yes" : "no";
    window.clearInterval(looking);
    looking = is ? 0 : window.setInterval(lookAgain, LOOK_AGAIN_MS);
  };

  if (main) {
    let before = main.getAttribute("sse-connect").includes("after=");
    document.body.addEventListener("htmx:sseOpen", () => {
      live(true);
      // What happened between the making of the page and now is told from the position on; without one, look again.
      if (!before) {
        lookAgain();
      }
      before = true;
    });
    document.body.addEventListener("htmx:sseError", () => {
      live(false);
      before = false;
    });
    document.body.addEventListener("htmx:sseClose", () => live(false));
    // A line that dies in silence closes nothing: the device knows first, else the next sign of life does not come.
    window.addEventListener("offline", () => live(false));
    let silence = 0;
    const alive = (event) => watch(event.target);
    const watch = (source) => {
      window.clearTimeout(silence);
      silence = window.setTimeout(() => {
        source.close();
        source.dispatchEvent(new Event("error"));
      }, SILENT_MS);
    };
    const connected = window.htmx.createEventSource;
    window.htmx.createEventSource = (address) => {
      const source = connected(address);
      for (const sign of ["open", "beat"]) {
        source.addEventListener(sign, alive);
      }
      watch(source);
      return source;
    };
    window.addEventListener("online", lookAgain);
  }

  // A request that could not be sent: nothing that was filled in is lost, and the page says so.
  const notice = document.getElementById("notice");
  const say = (template) => {
    const found = document.querySelector(`template[data-say="${template}"]`);
    if (notice && found) {
      notice.replaceChildren(found.content.cloneNode(true));
    }
  };
  document.body.addEventListener("htmx:sendError", () => say("lost"));
  document.body.addEventListener("htmx:responseError", () => say("failed"));
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const done = event.detail.requestConfig.verb === "get" ? "[data-passing]" : "[data-passing], [data-until-done]";
    if (event.detail.successful && event.detail.xhr.status < 400 && notice && notice.querySelector(done)) {
      notice.replaceChildren();
    }
  });

  // Whoever signed in again in another tab goes on here: the page takes over what its forms must carry from now on.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const fresh = event.detail.xhr.getResponseHeader("X-CSRF");
    if (fresh) {
      const carried = JSON.parse(document.body.getAttribute("hx-headers"));
      document.body.setAttribute("hx-headers", JSON.stringify({ ...carried, "X-CSRF": fresh }));
      document.querySelectorAll("input[name=csrf]").forEach((each) => { each.value = fresh; });
    }
  });

  // A countdown: <time data-until="2026-01-01T00:00:00Z">, in hours, minutes and seconds by this device's clock, corrected by
  // what the server said the time was.
  const served = document.querySelector("meta[name=plek-now]");
  const ahead = served ? Date.parse(served.content) - Date.now() : 0;
  const count = () => {
    for (const each of document.querySelectorAll("time[data-until]")) {
      const left = Math.max(0, Math.ceil((Date.parse(each.dataset.until) - Date.now() - ahead) / 1000));
      const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
      const two = (number) => String(number).padStart(2, "0");
      const text = hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
      if (each.textContent !== text) {
        each.textContent = text;
      }
      if (left === 0 && !each.dataset.over) {
        each.dataset.over = "yes";
        lookAgain();
      }
    }
  };
  window.setInterval(count, 500);
  document.body.addEventListener("htmx:afterSwap", count);
  count();
})();
