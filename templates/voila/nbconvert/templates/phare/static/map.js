/*
 * Maps and addresses of the apps: a zone tells its name when pointed at or reached by the keyboard,
 * chooses itself when clicked; the page's address says what is chosen, so that it can be kept.
 */

(() => {
  const ARROWS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  let again = null; // code of the zone chosen, which keeps the focus when the map is drawn anew

  const tip = () => {
    let found = document.querySelector(".app-tip");
    if (!found) {
      found = document.createElement("div");
      found.className = "app-tip";
      found.hidden = true;
      found.setAttribute("aria-hidden", "true"); // the zone itself is named to who listens
      document.body.append(found);
    }
    return found;
  };

  const show = (zone, x, y) => {
    const box = tip();
    box.textContent = zone.dataset.words;
    box.hidden = false;
    const room = box.getBoundingClientRect();
    box.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - room.width - 4))}px`;
    box.style.top = `${y + 16 + room.height < innerHeight ? y + 16 : y - room.height - 8}px`;
  };
  const hide = () => { tip().hidden = true; };
  const zoneOf = (event) => event.target.closest?.("[data-zone]");

  const choose = (zone) => {
    const select = document.querySelector(".app-choose-territoire select");
    const name = zone.dataset.label;
    if (!select || !name) return;
    const same = (text) => text.replaceAll("\u00a0", " ") === name;
    const at = [...select.options].findIndex((option) => same(option.textContent));
    if (at < 0) return;
    again = zone.dataset.zone;
    select.selectedIndex = at === select.selectedIndex ? 0 : at;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  document.addEventListener("pointermove", (event) => {
    const zone = zoneOf(event);
    if (zone) show(zone, event.clientX, event.clientY);
    else if (!document.activeElement?.matches?.("[data-zone]")) hide();
  });
  document.addEventListener("focusin", (event) => {
    const zone = zoneOf(event);
    if (!zone) {
      again = null;
      hide();
      return;
    }
    const room = zone.getBoundingClientRect();
    show(zone, room.left + room.width / 2, room.top + room.height / 2);
  });
  document.addEventListener("pointerdown", (event) => {
    if (!zoneOf(event)) again = null;
  });
  document.addEventListener("click", (event) => {
    const zone = zoneOf(event);
    if (zone) choose(zone);
  });
  document.addEventListener("keydown", (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    if (event.key === "Escape") hide();
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(zone);
    }
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const zones = [...zone.ownerSVGElement.querySelectorAll("[data-zone][tabindex]")];
    const next = zones[(zones.indexOf(zone) + step + zones.length) % zones.length];
    zone.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  const settle = () => {
    const told = document.querySelector("[data-query]");
    if (told && location.search !== `?${told.dataset.query}`) {
      history.replaceState(null, "", `${location.pathname}?${told.dataset.query}${location.hash}`);
    }
    // Vega paints with its gradients by this page's address, which has just changed.
    for (const name of ["fill", "stroke", "clip-path"]) {
      for (const one of document.querySelectorAll(`[${name}^="url(http"]`)) {
        one.setAttribute(name, one.getAttribute(name).replace(/^url\([^#]*#/, "url(#"));
      }
    }
    // Vega calls its groups in English.
    for (const group of document.querySelectorAll("[aria-roledescription$='mark container']")) {
      group.setAttribute("aria-roledescription", "dessin");
    }
    if (again === null || document.activeElement !== document.body) return;
    const zones = [...document.querySelectorAll("[data-zone][tabindex]")];
    const zone = zones.find((one) => one.dataset.zone === again && one.checkVisibility());
    zone?.focus();
  };
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(settle).observe(document.body, { childList: true, subtree: true });
  });
})();
