/*
 * What controls are to a screen reader: a choice among buttons is a named group, the pressed one
 * told; each end of a range has its name. What bears the moment when it expires goes then.
 */

(() => {
  const name = (group) => {
    const label = group.querySelector(".widget-label");
    if (!label) return;
    label.id ||= `phare-label-${crypto.randomUUID()}`;
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", label.id);
  };

  const range = (control) => {
    const label = control.querySelector(".widget-label");
    control.querySelectorAll(".noUi-handle:not([aria-label])").forEach((handle, i) => {
      handle.setAttribute("aria-label", `${label?.textContent ?? ""}, ${i ? "au plus" : "au moins"}`);
    });
  };

  const expire = () => {
    for (const part of document.querySelectorAll("[data-expires]")) {
      if (Date.parse(part.dataset.expires) <= Date.now()) part.remove();
    }
  };

  const tell = () => {
    expire();
    document.querySelectorAll(".widget-slider").forEach(range);
    for (const group of document.querySelectorAll(".widget-toggle-buttons:not([role])")) name(group);
    for (const button of document.querySelectorAll(
      ".widget-toggle-buttons button, button.widget-toggle-button",
    )) {
      const pressed = String(button.classList.contains("mod-active"));
      if (button.getAttribute("aria-pressed") !== pressed) {
        button.setAttribute("aria-pressed", pressed);
      }
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    tell();
    setInterval(expire, 30000);
    const anything = { childList: true, subtree: true, attributeFilter: ["class"] };
    new MutationObserver(tell).observe(document.body, anything);
  });
})();
