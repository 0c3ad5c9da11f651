// The chart: axes, curves, points and marks as SVG.

const LEFT = 64, RIGHT = 14, TOP = 14, BOTTOM = 46;
let WIDTH = 760, HEIGHT = 380; // of the chart in pixels, as wide as the page leaves

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

/** Round numbers between low and high. */
function ticks(low, high, count = 5) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map(k => k * power).find(k => k >= raw);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** Ticks of a parameter's axis: powers of ten where it is logarithmic. */
function axisTicks({low, high, scale}) {
  if (scale === "linear") return ticks(low, high);
  const found = scale === "log1p" ? [0] : [];
  for (let k = Math.floor(Math.log10(Math.max(low, 1e-12))); k <= Math.log10(high) + 1e-9; k++) if (10 ** k >= low * (1 - 1e-9) && (scale === "log" || k >= 1)) found.push(10 ** k);
  return found.length > WIDTH / 100 ? found.filter((_, i) => i % 2 === 0) : found;
}

const short = value => value === 0 ? "0" : Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3 ? value.toExponential(0).replace("e+", "e") : String(Number(value.toPrecision(4)));

/** The heights to show: all finite values, but an exploding curve (published variances do) does not push the others flat. */
function heights(curves, points, quantity) {
  const own = curves[0].y.filter(Number.isFinite), all = [...curves.flatMap(curve => curve.y.filter(Number.isFinite)), ...points.map(point => point.y)];
  if (!all.length) return [0, 1];
  let low = Math.min(...all), high = Math.max(...all);
  if (own.length) {
    const span = Math.max(...own) - Math.min(...own) || Math.abs(own[0]) || 1;
    low = Math.max(low, Math.min(...own) - 2 * span);
    high = Math.min(high, Math.max(...own) + 2 * span);
  }
  const pad = 0.06 * (high - low || 0.1);
  return quantity === "accuracy" ? [Math.max(0, low - pad), Math.min(1, high + pad)] : [low - pad, high + pad];
}

/**
 * Draw curves over a parameter.
 *
 * drawing: {along: the parameter, quantity, curves: [{kind, label, places, x, y}], points: [{x, y, se}], here, star, best: {x, y} or null}.
 */
function drawChart(into, drawing) {
  const {along, quantity, curves, points} = drawing, [low, high] = heights(curves, points, quantity);
  WIDTH = Math.max(300, into.clientWidth || 760);
  HEIGHT = Math.min(380, Math.max(240, WIDTH / 2));
  const svg = element("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`}), frame = element("clipPath", {id: "frame"});
  frame.append(element("rect", {x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM}));
  svg.append(frame);
  const across = place => LEFT + place * (WIDTH - LEFT - RIGHT), up = y => HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
  const x = value => across(placeOf(along, value)), clip = y => Math.min(2 * HEIGHT, Math.max(-HEIGHT, y));
  for (const y of ticks(low, high)) {
    svg.append(element("line", {class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: up(y), y2: up(y)}), element("text", {x: LEFT - 8, y: up(y) + 4, "text-anchor": "end"}, short(y)));
  }
  for (const value of axisTicks(along)) svg.append(element("text", {x: x(value), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle"}, short(value)));
  svg.append(element("text", {class: "title", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle"}, `${along.says}, ${along.symbol}`));
  svg.append(element("text", {class: "title", x: 14, y: (TOP + HEIGHT - BOTTOM) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})`}, QUANTITIES[quantity]));
  const rule = (value, kind) => svg.append(element("line", {class: kind, x1: x(value), x2: x(value), y1: TOP, y2: HEIGHT - BOTTOM}));
  rule(drawing.here, "here");
  if (drawing.star !== null) {
    rule(drawing.star, "star");
    svg.append(element("text", {x: x(drawing.star) + 5, y: TOP + 12}, `ε* = ${short(Number(drawing.star.toPrecision(3)))}`));
  }
  for (const {kind, places, y} of curves) {
    let path = "", joined = false;
    y.forEach((value, i) => {
      if (value === undefined) return; // not solved yet
      if (Number.isFinite(value)) path += `${joined ? "L" : "M"}${across(places[i]).toFixed(1)} ${clip(up(value)).toFixed(1)}`;
      joined = Number.isFinite(value);
    });
    svg.append(element("path", {class: kind, d: path, "clip-path": "url(#frame)"}));
  }
  for (const {x: value, y, se} of points) {
    if (se) svg.append(element("line", {class: "measured", x1: x(value), x2: x(value), y1: up(y - 2 * se), y2: up(y + 2 * se)}));
    svg.append(element("circle", {class: "measured", cx: x(value), cy: up(y), r: 3.5}));
  }
  if (drawing.best) svg.append(element("path", {class: "best", d: `M${x(drawing.best.x)} ${up(drawing.best.y) - 9}l6 -9h-12z`}));
  svg.append(legend(drawing, across, up));
  svg.append(hover(svg, drawing, across, up));
  into.replaceChildren(svg);
}

/** The legend, in the corner that the curves leave free. */
function legend({curves, points, best, along}, across, up) {
  const entries = curves.length > 1 || points.length || best ? curves.map(({kind, label}) => [kind, label]) : [];
  if (points.length) entries.push(["measured", "measured, two standard errors"]);
  if (best) entries.push(["best", `best ${along.symbol}`]);
  const wide = points.length ? 215 : 150, high = 17 * entries.length + 12, group = element("g");
  const corners = [[LEFT, HEIGHT - BOTTOM - high], [WIDTH - RIGHT - wide, HEIGHT - BOTTOM - high], [LEFT, TOP + 14], [WIDTH - RIGHT - wide, TOP + 14]];
  const spots = [...curves.flatMap(({places, y}) => places.map((place, i) => [across(place), up(y[i])])), ...points.map(({x, y}) => [across(placeOf(along, x)), up(y)])];
  const hidden = corners.map(([left, top]) => spots.filter(([x, y]) => x > left && x < left + wide && y > top && y < top + high).length);
  const [left, top] = corners[hidden.indexOf(Math.min(...hidden))];
  entries.forEach(([kind, label], i) => {
    const y = top + 17 * (i + 1), x = left + 12;
    if (kind === "measured") group.append(element("circle", {class: kind, cx: x + 12, cy: y - 4, r: 3.5}));
    else if (kind === "best") group.append(element("path", {class: kind, d: `M${x + 12} ${y}l6 -9h-12z`}));
    else group.append(element("line", {class: kind, x1: x, x2: x + 24, y1: y - 4, y2: y - 4}));
    group.append(element("text", {x: x + 30, y}, label));
  });
  return group;
}

/** What the theory says under the pointer. */
function hover(svg, {along, curves}, across, up) {
  const group = element("g"), dot = element("circle", {class: "hover", r: 4, visibility: "hidden"}), text = element("text", {class: "title"});
  group.append(dot, text);
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), place = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    const {places, x, y} = curves[0], i = places.reduce((near, each, j) => Math.abs(each - place) < Math.abs(places[near] - place) ? j : near, 0);
    if (place < 0 || place > 1 || !Number.isFinite(y[i])) return dot.setAttribute("visibility", "hidden"), text.replaceChildren();
    dot.setAttribute("visibility", "visible");
    dot.setAttribute("cx", across(places[i]));
    dot.setAttribute("cy", up(y[i]));
    text.setAttribute("x", across(places[i]) + (place > 0.7 ? -10 : 10));
    text.setAttribute("y", Math.max(TOP + 12, up(y[i]) - 10));
    text.setAttribute("text-anchor", place > 0.7 ? "end" : "start");
    text.textContent = `${along.symbol} = ${short(x[i])}: ${y[i].toPrecision(4)}`;
  });
  svg.addEventListener("pointerleave", () => { dot.setAttribute("visibility", "hidden"); text.replaceChildren(); });
  return group;
}
