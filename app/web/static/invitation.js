// Puts the code of an invitation into the form: it stands behind the #, which browsers send to nobody.
(() => {
  "use strict";
  const code = window.location.hash.slice(1);
  const box = document.querySelector("[data-invitation] input[name=code]");
  if (code && box) {
    box.value = code;
    window.history.replaceState(null, "", window.location.pathname);
  }
})();
