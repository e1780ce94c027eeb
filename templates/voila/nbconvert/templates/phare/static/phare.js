/* What Voilà calls while it prepares a page, and the order of the page once it is there. */

const SLOW_AFTER = 3; // heartbeats of 10 s each
let heartbeats = 0;

window.voila_heartbeat = () => {
  heartbeats += 1;
  const slow = document.getElementById("loading_slow");
  if (slow && heartbeats >= SLOW_AFTER) slow.hidden = false;
};

window.voila_process = (cell, cells) => {
  const bar = document.getElementById("loading_progress");
  bar.max = cells;
  bar.value = cell;
  document.getElementById("loading_text").textContent =
    `Préparation de la page : étape ${cell} sur ${cells}`;
};

/* Called twice: by the page when it is complete, and by Voilà when its theme is loaded. */
window.voila_finish = () => {
  if (!window.themeLoaded) {
    window.cellLoaded = true;
    return;
  }
  document.getElementById("loading").remove();
  document.getElementById("rendered_cells").style.display = "";
};

/*
 * Voilà moves the content to the end of the body: the footer must stay after it. A chart drawn
 * while the content was hidden or out of the page measured nothing: it measures again when told
 * that the window has changed.
 */
document.addEventListener("DOMContentLoaded", () => {
  const footer = document.querySelector("footer");
  new MutationObserver((_, observer) => {
    if (!document.querySelector("body > .lm-Widget")) return;
    observer.disconnect();
    document.body.append(footer);
  }).observe(document.body, { childList: true });

  let width = 0;
  new ResizeObserver(([content]) => {
    if (content.contentRect.width === width) return;
    width = content.contentRect.width;
    window.dispatchEvent(new Event("resize"));
  }).observe(document.getElementById("rendered_cells"));
});
