/* What Voilà calls while it prepares a page, and the order of the page once it is there. */

const SLOW_AFTER = 3; // heartbeats of 10 s each
const PREPARED_FOR = 15_000; // milliseconds after which the page is shown as it is
let heartbeats = 0;

window.voila_heartbeat = () => {
  heartbeats += 1;
  const slow = document.getElementById("loading_slow");
  if (slow && heartbeats >= SLOW_AFTER) slow.hidden = false;
};

/* What is shown at first answers the usual choice: where a link makes another, it is greyed. */
const other = () => {
  const heading = document.querySelector("#prepared [data-query]");
  if (!heading) return false;
  const shown = new URLSearchParams(heading.dataset.query);
  const asked = [...new URLSearchParams(window.location.search)];
  return asked.some(([name, value]) => value && shown.get(name) !== value);
};

/* Each cell that arrives says which it is; a script inside the page would be refused. */
const arrived = new MutationObserver(() => {
  document.body?.classList.toggle("phare-asked", other());
  const last = [...document.querySelectorAll("[cell-index]")].at(-1);
  const bar = document.getElementById("loading_progress");
  if (!last || !bar) return;
  const [cell, cells] = [last.getAttribute("cell-index"), last.dataset.cells];
  if (bar.getAttribute("value") === cell) return;
  bar.max = cells;
  bar.value = cell;
  document.getElementById("loading_text").textContent =
    `${other() ? "Vos choix arrivent" : "Préparation de la page"} : étape ${cell} sur ${cells}`;
});
arrived.observe(document, { childList: true, subtree: true });

/* Called twice: by the page when it is complete, and by Voilà when its theme is loaded. */
window.voila_finish = () => {
  if (!window.themeLoaded) {
    window.cellLoaded = true;
    return;
  }
  /* What was prepared stays until the page that answers is drawn, charts included, or late. */
  const prepared = document.getElementById("prepared");
  const cells = document.getElementById("rendered_cells");
  const show = () => {
    prepared?.remove();
    document.getElementById("loading")?.remove();
    cells.classList.remove("phare-behind");
  };
  cells.style.display = "";
  if (!prepared?.firstElementChild) {
    show();
    return;
  }
  cells.classList.add("phare-behind");
  const charts = prepared.querySelectorAll(".phare-picture").length;
  const views = document.querySelectorAll("#rendered_cells [cell-index] script").length;
  const complete = () =>
    document.querySelectorAll("#rendered_cells .vega-embed :is(svg, canvas)").length >= charts &&
    document.querySelectorAll("#rendered_cells .jupyter-widgets").length >= Math.min(views, 1);
  const late = performance.now() + PREPARED_FOR;
  const look = () => (complete() || performance.now() > late ? show() : setTimeout(look, 50));
  look();
};

/*
 * A chart as wide as its container, drawn while it was out of the page or in a hidden tab, has
 * measured nothing and stays invisible. It measures again when told that the window has changed.
 */
const widths = new WeakMap();
const resized = new ResizeObserver((entries) => {
  const changed = entries.filter((e) => e.contentRect.width !== widths.get(e.target));
  changed.forEach((e) => widths.set(e.target, e.contentRect.width));
  if (changed.length) window.dispatchEvent(new Event("resize"));
});
const watchCharts = () => {
  for (const chart of document.querySelectorAll(".vega-embed")) {
    if (widths.has(chart)) continue;
    widths.set(chart, 0);
    resized.observe(chart);
  }
};

document.addEventListener("DOMContentLoaded", () => {
  arrived.disconnect();
  if (document.getElementById("rendered_cells")) window.voila_finish();

  const anything = { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] };
  new MutationObserver(watchCharts).observe(document.body, anything);

  /* Voilà moves the content to the end of the body; the footer must stay after it. */
  const footer = document.querySelector("footer");
  new MutationObserver((_, observer) => {
    if (!document.querySelector("body > .lm-Widget")) return;
    observer.disconnect();
    document.body.append(footer);
  }).observe(document.body, { childList: true });
});
