// Lives only on a device whose user chose so. It keeps two pages and what they look like, and answers with them when
// there is no connection. Nothing else is ever kept: no page with a client, no form, no part of a page.
"use strict";
const CACHE = "plek-kept";
const KEPT = "/country/kept";
const NOTHING = "/country/nothing-kept";
const SIGN_OUT = "/sign-out";
const LONGEST_MS = 24 * 60 * 60 * 1000;
const KEPT_AT = "x-plek-kept-at";
const LOOK = /(?:href|src)="(\/static\/[0-9a-f]+\/[a-z0-9.-]+)"/g;

let forgotten = 0;

const forget = async () => {
  forgotten += 1;
  await caches.delete(CACHE);
  await self.registration.unregister();
};

// Return an answer as it is kept, with when that was by this device's clock; nothing where it was not given.
const fetched = async (path) => {
  const answer = await fetch(path, { cache: "no-store", redirect: "manual" });
  if (answer.status !== 200) {
    return { refused: answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403 };
  }
  const headers = new Headers(answer.headers);
  headers.delete("content-encoding");
  headers.set(KEPT_AT, String(Date.now()));
  const body = await answer.arrayBuffer();
  return { body, headers, text: new TextDecoder().decode(body) };
};

// Keep both pages anew. Whoever may not read them any more keeps nothing.
const keep = async () => {
  const before = forgotten;
  const found = new Map();
  for (const path of [KEPT, NOTHING]) {
    const page = await fetched(path);
    if (page.refused) {
      await forget();
    }
    if (!page.body) {
      return false;
    }
    found.set(path, page);
  }
  for (const page of [...found.values()]) {
    for (const [, path] of page.text.matchAll(LOOK)) {
      const part = found.get(path) || (await fetched(path));
      if (part.body) {
        found.set(path, part);
      }
    }
  }
  if (before !== forgotten) {
    return false;
  }
  const cache = await caches.open(CACHE);
  for (const [path, { body, headers }] of found) {
    await cache.put(path, new Response(body, { headers }));
  }
  for (const request of await cache.keys()) {
    if (!found.has(new URL(request.url).pathname)) {
      await cache.delete(request);
    }
  }
  return true;
};

// Return what is kept of a page; after a day, or by a clock that was turned back, it is deleted instead.
const kept = async () => {
  const page = await caches.match(KEPT, { cacheName: CACHE });
  const age = page ? Date.now() - Number(page.headers.get(KEPT_AT)) : Infinity;
  if (age >= 0 && age < LONGEST_MS) {
    return page;
  }
  if (page) {
    await (await caches.open(CACHE)).delete(KEPT);
  }
  return undefined;
};

const withoutConnection = async (path) => {
  const page = await kept();
  const instead = page ? KEPT : NOTHING;
  if (path !== instead) {
    return Response.redirect(instead, 302);
  }
  return page || (await caches.match(NOTHING, { cacheName: CACHE })) || Response.error();
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), kept()])));

self.addEventListener("message", (event) => {
  if (event.data === "keep") {
    event.waitUntil(
      keep()
        .catch(() => false)
        .then((done) => event.ports[0] && event.ports[0].postMessage(done)),
    );
  } else if (event.data === "forget") {
    event.waitUntil(forget());
  }
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) {
    return;
  }
  if (request.method === "POST" && url.pathname === SIGN_OUT) {
    event.waitUntil(forget());
  } else if (request.method === "GET" && request.mode === "navigate") {
    event.waitUntil(kept());
    event.respondWith(fetch(request).catch(() => withoutConnection(url.pathname)));
  } else if (request.method === "GET" && url.pathname.startsWith("/static/")) {
    event.respondWith(
      fetch(request).catch(async () => (await caches.match(url.pathname, { cacheName: CACHE })) || Response.error()),
    );
  }
});
