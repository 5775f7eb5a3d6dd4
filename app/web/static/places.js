// The coordinator's board: a sheet in front of it, focus that stays where it was, a moment to undo, and a sound if wanted.
(() => {
  "use strict";
  const FOCUSABLE = "a[href], button, input, select, textarea, summary";
  const SOUND = "plek-sound";
  const sheet = document.getElementById("sheet");
  const sheetBody = document.getElementById("sheet-body");
  const said = document.getElementById("said");
  const main = document.getElementById("main");

  // Where somebody is: the nearest thing with a name, and how far in it. What is there is replaced by what it is now.
  const whereabouts = () => {
    const holder = document.activeElement?.parentElement?.closest("[id]");
    return holder ? { id: holder.id, turn: [...holder.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement) } : null;
  };
  const goBack = (where) => {
    if (!where || (document.activeElement && document.activeElement !== document.body)) {
      return;
    }
    const choices = [...(document.getElementById(where.id)?.querySelectorAll(FOCUSABLE) ?? [])];
    (choices[where.turn] ?? choices.at(-1) ?? main).focus({ preventScroll: true });
  };

  // What somebody has just pressed stays until its answer is there: the part that it stands in looks again after that.
  let missed = false;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (target.closest(".plek-part") && target.querySelector(".htmx-request")) {
      event.detail.shouldSwap = false;
      missed = true;
    }
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (missed && !event.detail.elt.matches(".plek-part")) {
      missed = false;
      document.body.dispatchEvent(new CustomEvent("plek:again"));
    }
  });

  let place = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    place = event.detail.target.contains(document.activeElement) ? whereabouts() : null;
  });
  document.body.addEventListener("htmx:afterSwap", () => goBack(place));
  document.body.addEventListener("htmx:afterSettle", () => {
    goBack(place);
    place = null;
  });

  // All places stand in one form. Each press is an act of its own, also while another one is on its way.
  document.getElementById("sites").addEventListener("click", (event) => {
    const pressed = event.target.closest("button[formaction]");
    if (!pressed) {
      return;
    }
    event.preventDefault();
    if (!pressed.classList.contains("htmx-request")) {
      const values = pressed.name ? { [pressed.name]: pressed.value } : {};
      window.htmx.ajax("POST", pressed.getAttribute("formaction"), { source: pressed, target: "#said", values });
    }
  });

  let opener = null;
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === sheetBody) {
      if (!sheet.open) {
        opener = whereabouts();
        sheet.showModal();
      }
      sheet.scrollTop = 0;
      sheetBody.querySelector("[aria-invalid] input, input[aria-invalid]")?.focus();
    }
    if (event.detail.target.closest("#incoming")) {
      tell();
    }
  });
  document.body.addEventListener("plek:done", () => sheet.close());
  sheet.addEventListener("close", () => {
    sheetBody.replaceChildren();
    goBack(opener);
    opener = null;
  });

  // What can be undone is there for a moment.
  window.setInterval(() => {
    if (said.querySelector("[data-undo] time[data-over]")) {
      said.replaceChildren();
    }
  }, 250);
  said.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) {
      said.replaceChildren();
    }
  });

  // Somebody new wants to come: nothing more is said than that there is a message. The preference is all that is kept.
  const news = document.querySelector("[data-news]");
  const button = document.querySelector("[data-sound]");
  const waiting = () => new Set([...document.querySelectorAll("[data-hold]")].map((each) => each.dataset.hold));
  let known = waiting();
  let audio = null;

  const wanted = () => {
    try {
      return localStorage.getItem(SOUND) === "yes";
    } catch {
      return false;
    }
  };
  const allow = () => {
    audio = audio ?? new AudioContext();
    return audio.resume();
  };
  const ring = () => {
    if (!audio || audio.state !== "running") {
      return;
    }
    for (const [turn, pitch] of [660, 880].entries()) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const start = audio.currentTime + turn * 0.18;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.25, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.35);
    }
  };
  const tell = () => {
    const now = waiting();
    if ([...now].some((id) => !known.has(id))) {
      news.textContent = news.dataset.words;
      if (wanted()) {
        ring();
      }
    } else if (now.size === 0) {
      news.textContent = "";
    }
    known = now;
  };

  if (button && "AudioContext" in window) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(wanted()));
    button.addEventListener("click", async () => {
      const on = !wanted();
      try {
        localStorage.setItem(SOUND, on ? "yes" : "no");
      } catch {
        return;
      }
      button.setAttribute("aria-pressed", String(on));
      if (on) {
        await allow();
        ring();
      }
    });
    // A browser lets a page sound only once somebody has touched it.
    for (const gesture of ["pointerdown", "keydown"]) {
      document.addEventListener(gesture, () => wanted() && allow(), { once: true });
    }
  }
})();
