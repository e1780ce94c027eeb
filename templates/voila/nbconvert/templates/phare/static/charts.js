/*
 * Whether each chart answers the choice that its heading tells.
 *
 * A chart is described by its heading, written at the same time: where the two differ, what is drawn
 * answers another choice. A chart whose module came late stays so for ever (anywidget gives up after
 * two seconds): the page is made anew with its choices, once, or says so.
 */

(() => {
  const LOOK_EVERY = 250; // milliseconds
  // In looks, not in seconds: a machine that is still drawing does not look.
  const GREY_AFTER = 2;
  const SAY_AFTER = 12;
  const WORDS = {
    other: "Cette figure répond à un autre choix que le reste de la page. Rechargez la page pour la refaire.",
    none: "Cette figure n'a pas pu être dessinée. Rechargez la page pour la refaire.",
  };
  const looks = new WeakMap(); // panel → looks in a row that found it behind

  /* `null` where the chart is that of its heading, else what is wrong with it. */
  const behind = (panel) => {
    if (!panel.matches(".app-panel")) return null;
    const heading = panel.querySelector("h2")?.textContent;
    if (heading === undefined) return null;
    const drawn = panel.querySelector("[role=graphics-document]");
    if (!drawn?.querySelector("svg, canvas")) return "none";
    return drawn.getAttribute("aria-label") === heading ? null : "other";
  };

  const say = (panel, why) => {
    let told = panel.querySelector(".phare-other-words");
    if (why === null) {
      told?.remove();
      return;
    }
    if (!told) {
      told = document.createElement("div");
      told.className = "phare-other-words";
      told.setAttribute("role", "alert");
      told.append(document.createElement("p"), window.phareLive.reload("drawn"));
      panel.firstElementChild.after(told);
    }
    const line = told.querySelector("p");
    if (line.textContent !== WORDS[why]) line.textContent = WORDS[why];
  };

  const look = () => {
    if (document.getElementById("prepared")) return;
    for (const panel of document.querySelectorAll(".app-panel")) {
      const why = behind(panel);
      const count = why === null ? 0 : (looks.get(panel) ?? 0) + 1;
      looks.set(panel, count);
      panel.classList.toggle("phare-other", count >= GREY_AFTER);
      if (count >= SAY_AFTER && window.phareLive.againOnce("drawn")) return;
      say(panel, count >= SAY_AFTER ? why : null);
    }
  };

  setInterval(look, LOOK_EVERY);
  window.phareCharts = { behind };
})();
