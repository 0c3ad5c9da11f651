// The break-even map: the gain of synthetic data over label noise and the verifier's share of kept wrong labels.

const CELLS = 41;

/** Gains (CELLS x CELLS, rows by rho) in points of accuracy over training on the real samples alone (over a coin toss without any). */
function* gains(setting) {
  const alone = setting.n ? predict({...setting, m: 0, generator: "exact", generations: null, epsilon: 0, rho: 1, phi: 1}).accuracy : 0.5, rows = [];
  for (let i = 0; i < CELLS; i++) {
    const row = [];
    for (let j = 0; j < CELLS; j++) {
      const found = predict({...setting, epsilon: j / (CELLS - 1), rho: i / (CELLS - 1)});
      row.push(found === null ? NaN : 100 * (found.accuracy - alone));
      yield;
    }
    rows.push(row);
  }
  return rows;
}

/** Segments of the zero line in units of cells: marching squares. */
function zeroLine(rows) {
  const segments = [];
  for (let i = 0; i + 1 < CELLS; i++) {
    for (let j = 0; j + 1 < CELLS; j++) {
      const corners = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]], values = corners.map(([a, b]) => rows[b][a]), ends = [];
      for (let k = 0; k < 4; k++) {
        const a = values[k], b = values[(k + 1) % 4], [x0, y0] = corners[k], [x1, y1] = corners[(k + 1) % 4];
        if ((a > 0) !== (b > 0)) ends.push([x0 + a / (a - b) * (x1 - x0), y0 + a / (a - b) * (y1 - y0)]);
      }
      for (let k = 0; k + 1 < ends.length; k += 2) segments.push([ends[k], ends[k + 1]]);
    }
  }
  return segments;
}

/** Draw the map; works step by step. */
function* drawMap(into, asked) {
  const setting = labelled(asked), rows = yield* gains(setting), most = Math.max(...rows.flat().filter(Number.isFinite).map(Math.abs), 1e-9);
  const width = 520, height = 300, left = 64, bottom = 40, right = 90, top = 8, svg = element("svg", {viewBox: `0 0 ${width} ${height}`, style: "max-width: 620px", role: "img",
    "aria-label": "Gain by label noise and verifier"});
  const x = j => left + j / (CELLS - 1) * (width - left - right), y = i => height - bottom - i / (CELLS - 1) * (height - bottom - top);
  const wide = x(1) - x(0), high = y(0) - y(1);
  rows.forEach((row, i) => row.forEach((gain, j) => {
    if (!Number.isFinite(gain)) return;
    const cell = element("rect", {x: x(j) - wide / 2, y: y(i) - high / 2, width: wide + 0.4, height: high + 0.4});
    cell.style.fill = `color-mix(in oklab, var(${gain > 0 ? "--good" : "--bad"}) ${(100 * Math.sqrt(Math.abs(gain) / most)).toFixed(1)}%, var(--paper))`;
    cell.append(element("title", {}, `ε = ${(j / (CELLS - 1)).toFixed(3)}, ρ = ${(i / (CELLS - 1)).toFixed(3)}: ${gain > 0 ? "+" : ""}${gain.toFixed(2)} points`));
    svg.append(cell);
  }));
  svg.append(element("path", {class: "zero", d: zeroLine(rows).map(([[a, b], [c, d]]) => `M${x(a).toFixed(1)} ${y(b).toFixed(1)}L${x(c).toFixed(1)} ${y(d).toFixed(1)}`).join("")}));
  svg.append(element("circle", {class: "measured", cx: x(setting.epsilon * (CELLS - 1)), cy: y(setting.rho * (CELLS - 1)), r: 4}));
  for (const value of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    svg.append(element("text", {x: x(value * (CELLS - 1)), y: height - bottom + 18, "text-anchor": "middle"}, String(value)));
    svg.append(element("text", {x: left - 10, y: y(value * (CELLS - 1)) + 4, "text-anchor": "end"}, String(value)));
  }
  svg.append(element("text", {class: "title", x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle"}, "wrong synthetic labels, ε"));
  svg.append(element("text", {class: "title", x: 16, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 16 ${(top + height - bottom) / 2})`}, "wrong labels kept, ρ"));
  svg.append(scale(most, width - right + 22, top, height - bottom));
  into.replaceChildren(svg);
}

/** The colours' scale: square roots of gains, so that small ones are seen. */
function scale(most, left, top, bottom) {
  const group = element("g"), steps = 40;
  for (let k = 0; k < steps; k++) {
    const place = 1 - 2 * (k + 0.5) / steps, bar = element("rect", {x: left, y: top + k / steps * (bottom - top), width: 12, height: (bottom - top) / steps + 0.5});
    bar.style.fill = `color-mix(in oklab, var(${place > 0 ? "--good" : "--bad"}) ${(100 * Math.abs(place)).toFixed(1)}%, var(--paper))`;
    group.append(bar);
  }
  for (const [place, value] of [[0, most], [0.25, most / 4], [0.5, 0], [0.75, -most / 4], [1, -most]]) {
    group.append(element("text", {x: left + 18, y: top + place * (bottom - top) + 4}, `${value > 0 ? "+" : ""}${Number(value.toPrecision(2))}`));
  }
  return group;
}
