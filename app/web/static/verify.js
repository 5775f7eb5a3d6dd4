// Checks a line of the ledger here, in the reader's own browser: bytes, hash, tree, signature. Nothing is taken on trust
// but the key, and the reader can give their own. See docs/ledger.md; RFC 9162, 2.1.3.2; C2SP signed-note.
"use strict";

(() => {
  const bytesOf = (text) => new TextEncoder().encode(text);
  const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const same = (one, other) => hexOf(one) === hexOf(other);
  const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const pair = (left, right) => sha256(joined([1], left, right));

  class Wrong extends Error {}

  // From a leaf's hash and its proof to the root; null where the proof does not fit the size.
  async function rootOf(hash, index, size, proof) {
    let [place, last, root] = [index, size - 1, hash];
    for (const other of proof) {
      if (last === 0) return null;
      if (place % 2 === 1 || place === last) {
        root = await pair(other, root);
        while (place % 2 === 0 && place !== 0) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
      } else {
        root = await pair(root, other);
      }
      [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
    }
    return last === 0 ? root : null;
  }

  // A checkpoint: the text that was signed, what it says, and its signatures.
  function noteOf(written) {
    const gap = written.lastIndexOf("\n\n");
    const text = written.slice(0, gap + 1);
    const [origin, size, root] = text.split("\n");
    if (gap < 0 || !/^(0|[1-9][0-9]{0,15})$/.test(size || "") || !root) throw new Wrong("note");
    const signatures = written.slice(gap + 2).split("\n").filter(Boolean).map((line) => {
      const found = /^\u2014 (\S+) (\S+)$/.exec(line);
      if (!found) throw new Wrong("note");
      const content = fromBase64(found[2]);
      return { name: found[1], id: content.slice(0, 4), content: content.slice(4) };
    });
    return { text, origin, size: Number(size), root: fromBase64(root), signatures };
  }

  // A key as people pass it on: name+id+base64, its id made of the rest.
  async function keyOf(written) {
    const [, name, id, encoded] = /^(\S+?)\+([0-9a-f]{8})\+(\S+)$/.exec(written) || [];
    if (!name) throw new Wrong("key");
    const content = fromBase64(encoded);
    const made = await sha256(joined(bytesOf(`${name}\n`), content));
    if (content.length !== 33 || content[0] !== 1 || hexOf(made.slice(0, 4)) !== id) throw new Wrong("key");
    return { name, id, content: content.slice(1) };
  }

  async function isSigned(note, key) {
    const ours = note.signatures.filter((one) => one.name === key.name && hexOf(one.id) === key.id);
    if (note.origin !== key.name || !ours.length) return false;
    let imported;
    try {
      imported = await crypto.subtle.importKey("raw", key.content, { name: "Ed25519" }, false, ["verify"]);
    } catch (failure) {
      return undefined; // this browser does not know Ed25519
    }
    for (const one of ours) {
      if (!(await crypto.subtle.verify("Ed25519", imported, one.content, bytesOf(note.text)))) return false;
    }
    return true;
  }

  const asked = async (path) => {
    const answer = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Wrong("asked");
    return answer;
  };

  const prepared = (text) => {
    try {
      return JSON.parse(text);
    } catch (failure) {
      return {};
    }
  };

  // Every step in turn; `tell` writes one down: its words, and whether it holds.
  async function check(leaf, keys, tell) {
    const need = (holds, name) => {
      tell(holds ? name : `not-${name}`, holds ? "right" : "wrong");
      if (!holds) throw new Wrong(name);
    };
    const index = Number(leaf.dataset.leaf);
    const written = leaf.querySelector("[data-bytes]").textContent;
    const opening = leaf.querySelector("[data-opening]");
    const said = prepared(written);
    need(said.index === index, "index");
    if (opening) need(hexOf(await sha256(bytesOf(opening.textContent))) === said.commitment, "opening");
    const hash = await sha256(joined([0], bytesOf(written)));
    tell("hash", "right", hexOf(hash));
    const note = noteOf(await (await asked("/share/ledger/checkpoint")).text());
    if (note.size <= index) return tell("not-yet", "open");
    const { hashes } = await (await asked(`/share/ledger/proof?leaf=${index}&size=${note.size}`)).json();
    const root = await rootOf(hash, index, note.size, hashes.map(fromBase64));
    need(root !== null && same(root, note.root), "root");
    const signed = await Promise.all(keys.map(async (one) => isSigned(note, await keyOf(one))));
    if (signed.every((one) => one === undefined)) return tell("no-ed25519", "open");
    need(signed.some((one) => one === true), "signed");
    return tell("all", "right");
  }

  async function verify(button) {
    const leaf = button.closest("[data-leaf]");
    const steps = leaf.querySelector("[data-steps]");
    const own = document.querySelector("#own-key").value.trim();
    const keys = own ? [own] : [...document.querySelectorAll("[data-key]")].map((one) => one.textContent.trim());
    const words = (name) => document.querySelector(`template[data-step="${name}"]`).content.textContent.trim();
    const tell = (name, outcome, more = "") => {
      const step = document.createElement("li");
      step.dataset.outcome = outcome;
      step.textContent = `${words(outcome)} ${words(name)} ${more}`.trim();
      steps.append(step);
    };
    steps.replaceChildren();
    steps.hidden = false;
    button.disabled = true;
    try {
      await check(leaf, keys, tell);
    } catch (failure) {
      // Whatever it was: something that should hold does not, or could not be had.
      const known = failure instanceof Wrong;
      if (!known || ["note", "key", "asked"].includes(failure.message)) {
        tell(known ? `not-${failure.message}` : "not-asked", "wrong");
      }
      tell("not-all", "wrong");
    } finally {
      button.disabled = false;
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-verify]");
    if (button) verify(button);
  });
})();
