// A page that is kept on a device says how old it is, and goes when it is too old, also while somebody looks at it.
(() => {
  "use strict";
  const LONGEST_MS = 24 * 60 * 60 * 1000;
  const MINUTE_MS = 60 * 1000;
  const age = document.querySelector("[data-kept-at]");
  if (!age) {
    return;
  }
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
  const said = age.querySelector("[data-age]");

  const count = () => {
    const passed = Date.now() - Date.parse(age.dataset.keptAt);
    if (passed >= LONGEST_MS) {
      document.querySelector("main").replaceChildren();
      window.location.replace("/country/nothing-kept");
      return;
    }
    const minutes = Math.max(0, Math.floor(passed / MINUTE_MS));
    const text = minutes < 60 ? words.format(-minutes, "minute") : words.format(-Math.floor(minutes / 60), "hour");
    said.textContent = `: ${text}`;
    said.hidden = false;
  };
  count();
  window.setInterval(count, MINUTE_MS);
})();
