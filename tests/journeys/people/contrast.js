// What axe leaves undecided of colours: [HTML, contrast, contrast needed] of each such element.
// What lies under a text is its halo, or the shapes below it at five of its points, or the
// backgrounds of what holds it; an arrow in a control's background is not under its text.
async () => {
  const left = (await axe.run(document, {runOnly: ["color-contrast"], resultTypes: ["incomplete"]}))
    .incomplete.flatMap((one) => one.nodes.map((node) => document.querySelector(node.target[0])));
  const colour = (told, opacity = 1) => {
    const found = (told.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return [...found.slice(0, 3), (found[3] ?? 1) * opacity];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = (one) => one.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      layers.push(colour(getComputedStyle(at).backgroundColor));
    }
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255]);
  };
  const grounds = (e, style) => {
    if (!(e instanceof SVGElement)) return [ground(e)];
    if (style.stroke !== "none" && parseFloat(style.strokeWidth) >= 2) {
      return [colour(style.stroke).slice(0, 3)];
    }
    e.scrollIntoView({block: "center", inline: "center"});
    const box = e.getBoundingClientRect();
    return [0.02, 0.25, 0.5, 0.75, 0.98].map((part) => {
      const stack = document.elementsFromPoint(box.x + part * box.width, box.y + box.height / 2);
      const below = stack.slice(stack.indexOf(e) + 1).filter((one) => one instanceof SVGGeometryElement);
      const fills = below.map((one) => [getComputedStyle(one), one])
        .filter(([told]) => told.fill !== "none")
        .map(([told]) => colour(told.fill, told.fillOpacity * told.opacity));
      return fills.reduceRight((under, top) => over(top, under), ground(e.ownerSVGElement));
    });
  };
  const all = document.head.appendChild(document.createElement("style"));
  all.textContent = "svg, svg * { pointer-events: auto !important; }";
  const told = left.map((e) => {
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    let opacity = svg ? Number(style.fillOpacity) : 1;
    for (let at = e; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
    const ink = colour(svg ? style.fill : style.color, opacity);
    const ratio = Math.min(...grounds(e, style).map((under) => {
      const [a, b] = [light(over(ink, under)), light(under)];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }));
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    return [e.outerHTML.slice(0, 90), ratio, size >= 24 || (bold && size >= 18.66) ? 3 : 4.5];
  });
  all.remove();
  return told;
}
