/*
 * What a reader takes away of a page: a figure as SVG or PNG, with its title, legend and proof; the
 * page on paper. All of it is made here, from what is shown.
 */

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PAD = 12;
  const FINER = 2; // pixels of the PNG to a pixel of the page
  const DRAWN = [
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-linejoin", "stroke-opacity", "opacity",
    "paint-order", "font-family", "font-size", "font-weight", "text-anchor",
  ];
  const pen = document.createElement("canvas").getContext("2d");

  const make = (name, told, text = "") => {
    const one = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(told)) one.setAttribute(key, value);
    one.textContent = text;
    return one;
  };

  /* Lines of a text that is `width` pixels wide at most. */
  const wrap = (text, font, width) => {
    pen.font = font;
    const lines = [""];
    for (const word of text.split(/[ \n]+/)) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (pen.measureText(longer).width > width && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = longer;
    }
    return lines.filter(Boolean);
  };

  /* The drawing alone: no button, no word for a screen reader, and the colours that it has here. */
  const copy = (drawn) => {
    const whole = drawn.cloneNode(true);
    if (drawn.matches(".map")) {
      const from = [...drawn.querySelectorAll("*")];
      [...whole.querySelectorAll("*")].forEach((one, i) => {
        const style = getComputedStyle(from[i]);
        for (const name of DRAWN) one.setAttribute(name, style.getPropertyValue(name));
      });
    }
    for (const one of [whole, ...whole.querySelectorAll("*")]) {
      for (const { name } of [...one.attributes]) {
        if (/^(class|tabindex|role|aria-.*|data-.*|style)$/.test(name)) one.removeAttribute(name);
      }
    }
    return whole;
  };

  /* The picture to be kept: title, drawing, legend, then what proves it. */
  const picture = (figure, foot) => {
    const drawn = figure.querySelector(".app-wide svg.map, :is(.vega-embed, .phare-picture) svg");
    const [w, h] = drawn.getAttribute("viewBox").split(/[ ,]+/).slice(2).map(Number);
    const width = Math.max(w, 480) + 2 * PAD;
    const parts = [];
    let y = PAD;
    const write = (text, size, weight, ink) => {
      for (const line of wrap(text, `${weight} ${size}px sans-serif`, width - 2 * PAD)) {
        y += size * 1.3;
        parts.push(make("text", {
          x: PAD, y, fill: ink, "font-size": size, "font-weight": weight, "font-family": "sans-serif",
        }, line));
      }
    };
    const head = figure.querySelector("h2");
    const small = head?.querySelector("small")?.textContent ?? "";
    write(head ? head.textContent.replace(small, "").trim() : sentence(figure), 15, 700, "#12395b");
    write(small, 12, 400, "#3f4c5a");
    y += 8;
    const inner = copy(drawn);
    for (const [key, value] of Object.entries({ x: PAD, y, width: w, height: h })) {
      inner.setAttribute(key, value);
    }
    parts.push(inner);
    y += h;
    let x = PAD;
    for (const item of figure.querySelectorAll(".app-legend li")) {
      const text = item.textContent.trim();
      pen.font = "12px sans-serif";
      const room = pen.measureText(text).width + 32;
      if (x === PAD || x + room > width - PAD) {
        x = PAD;
        y += 19;
      }
      const fill = getComputedStyle(item.querySelector("span")).backgroundColor;
      parts.push(make("rect", { x, y: y - 10, width: 12, height: 12, fill, stroke: "#7b8794" }));
      parts.push(make("text", {
        x: x + 17, y, fill: "#1f2933", "font-size": 12, "font-family": "sans-serif",
      }, text));
      x += room;
    }
    y += 6;
    write(foot, 11, 400, "#3f4c5a");
    const height = Math.ceil(y + PAD);
    const whole = make("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` });
    whole.append(make("rect", { width, height, fill: "#fff" }), ...parts);
    return { width, height, text: new XMLSerializer().serializeToString(whole) };
  };

  /* A map's title is what the page says of it: the sentence, without what is to be known with it. */
  const sentence = (figure) => {
    const said = figure.closest("main").querySelector(".app-words").cloneNode(true);
    said.querySelector("small")?.remove();
    return said.textContent.trim();
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  const keep = async (button) => {
    const told = button.closest(".app-keep").dataset;
    const figure = button.closest(".app-panel, .app-map");
    if (window.phareCharts.behind(figure)) return; // nothing of another choice leaves the page
    const { width, height, text } = picture(figure, told.foot);
    const vector = new Blob([text], { type: "image/svg+xml" });
    if (button.dataset.keep === "svg") {
      save(vector, `${told.name}.svg`);
      return;
    }
    const image = new Image();
    image.src = URL.createObjectURL(vector);
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width * FINER, height * FINER];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob((blob) => save(blob, `${told.name}.png`), "image/png");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-keep]");
    if (!button) return;
    if (button.dataset.keep === "print") window.print();
    else keep(button);
  });
})();
