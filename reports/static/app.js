// Keeps the page fresh: fetches itself and changes only what differs, so focus, selection and scroll stay.
"use strict";
(() => {
  const seconds = Number(document.body.dataset.refresh);
  if (!seconds) return;
  const button = document.getElementById("pause");
  const offline = document.getElementById("offline");
  const announce = document.getElementById("announce");
  let timer = 0;
  let paused = false;

  const key = (node) => (node.nodeType === Node.ELEMENT_NODE && node.id) || "";
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);
  const own = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches("form.filter");

  function attributes(from, to) {
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      const kept = name === "open" && from.nodeName === "DETAILS"; // what the reader opened stays open
      if (!kept && !to.hasAttribute(name)) from.removeAttribute(name);
    }
  }

  function morph(from, to) {
    if (own(from)) return; // the filter is the reader's
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    attributes(from, to);
    let here = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      if (here && !alike(here, wanted)) {
        const found = key(wanted) && [...from.children].find((child) => child.id === wanted.id);
        from.insertBefore(found || document.importNode(wanted, true), here);
        if (!found) continue;
        here = found;
      }
      if (!here) {
        from.append(document.importNode(wanted, true));
        continue;
      }
      morph(here, wanted);
      here = here.nextSibling;
    }
    while (here) {
      const next = here.nextSibling;
      here.remove();
      here = next;
    }
  }

  const states = () => new Map([...document.querySelectorAll("[data-state]")].map((e) => [e.dataset.name, e.dataset.state]));

  function tell(before) {
    const news = [...states()].filter(([name, state]) => before.has(name) && before.get(name) !== state);
    if (news.length) announce.textContent = news.map(([name, state]) => `${name} is now ${state}`).join(", ");
  }

  async function refresh() {
    const stop = AbortSignal.timeout(seconds * 1000);
    const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store", signal: stop });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = states();
    const focused = document.activeElement;
    for (const id of ["main", "asof"]) morph(document.getElementById(id), fresh.getElementById(id));
    document.title = fresh.title;
    if (focused && focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    tell(before);
  }

  async function tick() {
    if (!document.hidden) {
      try {
        await refresh();
        offline.hidden = true;
      } catch {
        offline.hidden = false;
      }
      document.documentElement.classList.toggle("live", offline.hidden && !paused);
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!paused) timer = setTimeout(tick, seconds * 1000);
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    button.setAttribute("aria-label", paused ? "Resume refreshing" : "Pause refreshing");
    document.documentElement.classList.toggle("live", !paused);
    if (paused) plan();
    else tick();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !paused) tick();
  });
  document.documentElement.classList.add("live");
  plan();
})();
