// A link to something inside what is folded opens that, and takes the focus there.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href^="#"]');
    const there = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!there) {
      return;
    }
    for (let folded = there.closest("details"); folded; folded = folded.parentElement.closest("details")) {
      folded.open = true;
    }
    const field = there.matches("input, select, textarea, button") ? there : there.querySelector("input, select, textarea");
    if (field) {
      field.focus();
    }
  });
})();
