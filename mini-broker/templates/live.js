"use strict";
// Puts the newest version of a page's live part in place of the old one. A page that nobody sees is not watched, so
// a browser that sleeps costs nothing and is up to date when it comes back.

const part = document.querySelector("[data-live]");
const says = document.getElementById("live");
let source = null;

function tell(text) {
  if (says && says.textContent !== text) says.textContent = text;
}

// What has the focus keeps it, and what is being selected is not taken away.
function put(html) {
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return;
  const active = document.activeElement;
  const href = part.contains(active) ? active.getAttribute("href") : null;
  const scrolled = [...part.querySelectorAll(".wide")].map((wide) => wide.scrollLeft);
  part.innerHTML = html;
  part.querySelectorAll(".wide").forEach((wide, n) => { wide.scrollLeft = scrolled[n] || 0; });
  if (href !== null) part.querySelector(`[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
}

function watch() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null || source.readyState === EventSource.CLOSED) {
    source = new EventSource(part.dataset.live);
    source.onmessage = (event) => { put(event.data); tell("live"); };
    source.addEventListener("problem", (event) => tell(event.data));
    source.onerror = () => tell("not live: the broker does not answer");
  }
}

if (part && part.dataset.live) {
  document.addEventListener("visibilitychange", watch);
  setInterval(watch, 5000); // a stream that was refused is not opened again by itself
  watch();
}
