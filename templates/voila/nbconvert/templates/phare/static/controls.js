/* What a choice among buttons is to a screen reader: a named group, the pressed one told. */

(() => {
  const name = (group) => {
    const label = group.querySelector(".widget-label");
    if (!label) return;
    label.id ||= `phare-label-${crypto.randomUUID()}`;
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", label.id);
  };

  const tell = () => {
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
    const anything = { childList: true, subtree: true, attributeFilter: ["class"] };
    new MutationObserver(tell).observe(document.body, anything);
  });
})();
