// Covers a screen that nobody touches, and brings it back if its session still lives; else its owner signs in again on
// the same page, where everything that was filled in still stands. Nothing is kept anywhere but in the page itself.
//
// For other pages: a form needs nothing for that. After a new sign-in every form and every request of htmx carries the
// new session's token, and `plek:signed-in` is dispatched on the body, for whoever wants to send something again. An
// element with `data-sign-in` opens the sign-in here.
(() => {
  "use strict";
  const told = document.querySelector("meta[name=plek-blank]");
  if (!told) {
    return;
  }
  const BLANK_MS = Number(told.content) * 60000;
  const SEEN_MS = 60000;
  const LOOK_MS = 1000;
  const person = told.dataset.person;
  const cover = document.getElementById("cover");
  const again = cover.querySelector("[data-again]");
  const form = cover.querySelector("form");
  const fields = cover.querySelector("[data-fields]");
  let active = Date.now();
  let sent = Date.now();
  let asking = false;

  const carried = () => JSON.parse(document.body.getAttribute("hx-headers"));
  const csrf = () => carried()["X-CSRF"];
  const carry = (value) => {
    document.body.setAttribute("hx-headers", JSON.stringify({ ...carried(), "X-CSRF": value }));
    for (const each of document.querySelectorAll("input[name=csrf]")) {
      each.value = value;
    }
  };
  const ask = (path, options = {}) =>
    fetch(path, { cache: "no-store", credentials: "same-origin", ...options, headers: { "HX-Request": "true", ...options.headers } });

  const blank = () => {
    if (!cover.open) {
      again.hidden = false;
      form.hidden = true;
      document.documentElement.dataset.blank = "yes";
      cover.showModal();
      again.focus();
    }
  };

  const signIn = async () => {
    document.documentElement.dataset.blank = "yes";
    const answer = await ask("/sign-in");
    fields.innerHTML = await answer.text();
    fields.querySelector("[name=back]").value = window.location.pathname;
    again.hidden = true;
    form.hidden = false;
    if (!cover.open) {
      cover.showModal();
    }
    fields.querySelector("[name=name]").focus();
  };

  const uncover = () => {
    fields.replaceChildren();
    document.getElementById("notice")?.replaceChildren();
    delete document.documentElement.dataset.blank;
    cover.close();
    sent = 0;
    active = Date.now();
    seen();
  };

  // Back to the page if its session lives, or a new one of the same person; another person begins anew.
  const back = async () => {
    const answer = await ask("/session/state");
    if (!answer.ok) {
      return false;
    }
    const state = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-csrf]");
    if (!state || state.dataset.person !== person) {
      window.location.replace("/");
      return true;
    }
    const renewed = state.dataset.csrf !== csrf();
    carry(state.dataset.csrf);
    uncover();
    if (renewed) {
      document.body.dispatchEvent(new CustomEvent("plek:signed-in"));
      document.body.dispatchEvent(new CustomEvent("plek:again"));
    }
    return true;
  };

  const once = async (act) => {
    if (asking) {
      return;
    }
    asking = true;
    try {
      await act();
    } catch {
      // No connection: the screen stays covered, and the next key asks again.
    } finally {
      asking = false;
    }
  };

  const wake = () => once(async () => (await back()) || signIn());

  const seen = () => {
    const now = Date.now();
    if (cover.open || now - active > BLANK_MS) {
      return;
    }
    active = now;
    if (now - sent > SEEN_MS) {
      sent = now;
      ask("/session/seen", { method: "POST", headers: { "X-CSRF": csrf() } }).catch(() => {});
    }
  };

  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(kind, seen, { passive: true });
  }
  window.setInterval(() => {
    if (Date.now() - active > BLANK_MS) {
      blank();
    }
  }, LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - active > BLANK_MS) {
      blank();
    }
  });

  cover.addEventListener("cancel", (event) => event.preventDefault());
  cover.addEventListener("click", () => form.hidden && wake());
  cover.addEventListener("keydown", (event) => form.hidden && event.key !== "Shift" && wake());
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-sign-in]")) {
      event.preventDefault();
      wake();
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(async () => {
      const answer = await ask("/sign-in", { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.status === 204 && (await back())) {
        return;
      }
      const typed = fields.querySelector("[name=name]").value;
      fields.innerHTML = await answer.text();
      fields.querySelector("[name=name]").value = typed;
      fields.querySelector("[name=password]").focus();
    });
  });
})();
