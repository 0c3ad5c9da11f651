// The page: controls change the state, the state is drawn.

const POINTS = 200;
let state, view, measured = [];
const $ = id => document.getElementById(id);

function start(presets) {
  [state, view] = fromHash(location.hash.slice(1));
  fill($("quantity"), QUANTITIES);
  fill($("axis"), Object.fromEntries(PARAMETERS.map(one => [one.name, `${one.says}, ${one.symbol}`])));
  for (const [i, preset] of presets.entries()) $("preset").append(new Option(preset.name, i));
  for (const [name, choice] of Object.entries(CHOICES).slice(0, 1)) $("parameters").append(choiceRow(name, choice));
  for (const one of PARAMETERS) {
    $("parameters").append(parameterRow(one));
    if (one.name === "n_hat") for (const [name, choice] of Object.entries(CHOICES).slice(1)) $("parameters").append(choiceRow(name, choice));
  }
  $("preset").addEventListener("change", event => {
    if (event.target.value !== "") [state, view] = [{...BEGIN, ...presets[event.target.value].state}, {...VIEW, ...presets[event.target.value].view}];
    refresh();
  });
  for (const name of ["quantity", "axis"]) $(name).addEventListener("change", event => { view[name] = event.target.value; refresh(); });
  $("published").addEventListener("change", event => { view.published = event.target.checked; refresh(); });
  $("points").addEventListener("change", async event => {
    const [file] = event.target.files;
    measured = file ? readPoints(await file.text()) : [];
    refresh();
  });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      navigator.clipboard?.writeText($(button.dataset.copy).textContent).then(() => {
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1200);
      }, () => {});
    });
  }
  addEventListener("resize", () => drawCurves(settingOf(state), parameter(view.axis)));
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === toHash(state, view)) return;
    [state, view] = fromHash(location.hash.slice(1));
    refresh();
  });
  refresh();
}

function fill(select, options) {
  for (const [value, label] of Object.entries(options)) select.append(new Option(label, value));
}

function parameterRow(one) {
  const row = document.createElement("label"), name = document.createElement("span"), box = document.createElement("input"), slider = document.createElement("input");
  row.className = "row";
  row.dataset.name = one.name;
  name.textContent = `${one.says}, ${one.symbol}`;
  Object.assign(box, {type: "text", inputMode: "decimal"});
  Object.assign(slider, {type: "range", min: 0, max: 1000, step: 1});
  slider.setAttribute("aria-label", one.says);
  const set = value => { state[one.name] = value; $("preset").value = ""; refresh(); };
  box.addEventListener("input", () => {
    const value = allowed(one, box.value.trim());
    box.setCustomValidity(value === null ? `not a value of ${one.symbol}` : "");
    if (value !== null) set(value);
  });
  slider.addEventListener("input", () => set(numberAt(one, slider.value / 1000)));
  row.append(name, box, slider);
  return row;
}

function choiceRow(name, choice) {
  const row = document.createElement("label"), text = document.createElement("span");
  const control = document.createElement(choice.values ? "select" : "input");
  row.className = choice.values ? "row choice" : "row";
  row.dataset.name = name;
  text.textContent = choice.says;
  if (choice.values) fill(control, choice.values); else Object.assign(control, {type: "number", min: choice.number[0], max: choice.number[1], step: 0.05});
  control.addEventListener("input", () => {
    if (choice.values) state[name] = name === "estimate_mean" ? control.value === "true" : control.value;
    else if (control.value !== "" && control.checkValidity()) state[name] = Number(control.value);
    $("preset").value = "";
    refresh();
  });
  row.append(text, control);
  return row;
}

/** Measured points of a CSV file: columns named like parameters, a quantity, and its standard error as QUANTITY_se. */
function readPoints(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/).map(line => line.split(",").map(cell => cell.trim()));
  return lines.map(line => Object.fromEntries(header.map((name, i) => [name, line[i] === "" || Number.isNaN(Number(line[i])) ? line[i] : Number(line[i])])));
}

/** The measured points of this setting along the axis. */
function pointsHere(setting) {
  const others = PARAMETERS.filter(one => one.name !== view.axis && one.name in setting);
  return measured.filter(row => (row.kind ?? "simulated") === "simulated" && Number.isFinite(row[view.axis]) && Number.isFinite(row[view.quantity])
    && others.every(({name}) => !(name in row) || Math.abs(row[name] - setting[name]) <= 1e-9 * Math.abs(setting[name])))
    .map(row => ({x: row[view.axis], y: row[view.quantity], se: row[`${view.quantity}_se`]}));
}

/** A curve over the axis. */
function curveOf(setting, formula, along) {
  const places = [], x = [], y = [];
  let impossible = false;
  for (let i = 0; i < POINTS; i++) {
    const value = numberAt({...along, whole: false}, i / (POINTS - 1)), use = along.name === "generations" ? Math.round(value) : value;
    const found = predict({...setting, [along.name]: use}, formula);
    places.push(placeOf(along, use));
    x.push(use);
    y.push(found === null ? NaN : found[view.quantity]);
    impossible ||= found?.variance < 0;
  }
  return {kind: formula === "published" ? "published" : "theory", label: formula === "published" ? "published formula" : "theory", places, x, y, impossible};
}

/** The value of a parameter with the highest accuracy: a scan over its range, then golden section between the neighbours. */
function bestOf(setting, name) {
  const along = {...parameter(name), whole: false}, value = place => predict({...setting, [name]: numberAt(along, place)})?.accuracy ?? -1;
  let top = 0;
  for (let i = 1; i <= 40; i++) if (value(i / 40) > value(top)) top = i / 40;
  let low = Math.max(0, top - 1 / 40), high = Math.min(1, top + 1 / 40);
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let i = 0; i < 24; i++) {
    const a = high - golden * (high - low), b = low + golden * (high - low);
    if (value(a) < value(b)) low = a; else high = b;
  }
  const x = numberAt(along, (low + high) / 2);
  return {x, accuracy: predict({...setting, [name]: x})?.accuracy ?? NaN};
}

function refresh() {
  const setting = settingOf(state), along = parameter(view.axis);
  if (!applies(along, state)) view.axis = "epsilon";
  showControls();
  drawCurves(setting, parameter(view.axis));
  showTables(setting);
  $("command").textContent = commandOf(setting, view.published && canPublish(setting));
  $("python").textContent = pythonOf(setting, view.published && canPublish(setting));
  history.replaceState(null, "", `#${toHash(state, view)}`);
  clearTimeout(refresh.later);
  refresh.later = setTimeout(() => later(setting), 120);
}

/** What takes longer than a frame waits until the sliders rest. */
function later(setting) {
  if (predict(setting) === null) return $("map").replaceChildren(), $("best").tBodies[0].replaceChildren();
  drawMap($("map"), setting);
  const omega = bestOf(setting, "omega"), gamma = bestOf(setting, "gamma"), points = best => `${(100 * best.accuracy).toFixed(2)} %`;
  let both = {...setting}, last = 0;
  for (let i = 0; i < 12; i++) {
    both = {...both, omega: bestOf(both, "omega").x};
    const next = bestOf(both, "gamma");
    both.gamma = next.x;
    if (next.accuracy - last < 1e-7) break;
    last = next.accuracy;
  }
  rows($("best"), [[`weight ω = ${omega.x} at γ = ${setting.gamma}`, points(omega)], [`regulariser γ = ${gamma.x} at ω = ${setting.omega}`, points(gamma)],
    [`both, ω = ${both.omega}, γ = ${both.gamma}`, points({accuracy: predict(both).accuracy})]]);
  if (["omega", "gamma"].includes(view.axis) && view.quantity === "accuracy") drawCurves(setting, parameter(view.axis), view.axis === "omega" ? omega : gamma);
}

const canPublish = setting => setting.generator !== "self-fitted" && setting.generations === undefined;

function drawCurves(setting, along, best = null) {
  const curves = [curveOf(setting, "rederived", along)], notes = [];
  if (view.published && canPublish(setting)) curves.push(curveOf(setting, "published", along));
  if (view.published && !canPublish(setting)) notes.push("The paper has no formula for this generator.");
  if (curves[1]?.impossible) notes.push("The published formula predicts a negative variance on a part of the curve, which is impossible.");
  if (curves[0].y.every(value => !Number.isFinite(value))) notes.push("There is nothing to train on, or nothing to fit the generator on.");
  $("notes").textContent = notes.join(" ");
  const star = view.axis === "epsilon" && setting.rho + setting.phi > 0 ? synthetic_only.critical_noise(setting.rho, setting.phi) : null;
  drawChart($("chart"), {along, quantity: view.quantity, curves, points: pointsHere(setting), here: setting[along.name] ?? state[along.name], star,
    best: best && {x: best.x, y: best.accuracy}});
}

function showControls() {
  for (const row of $("parameters").children) {
    const {name} = row.dataset, one = parameter(name), control = row.querySelector("select, input");
    row.hidden = !applies(one ?? {name, ...CHOICES[name]}, state);
    if (document.activeElement !== control || control.type !== "text") control.value = String(state[name]);
    if (one) row.querySelector("[type=range]").value = Math.round(1000 * placeOf(one, state[name]));
  }
  for (const option of $("axis").options) option.hidden = !applies(parameter(option.value), state);
  $("quantity").value = view.quantity;
  $("axis").value = view.axis;
  $("published").checked = view.published;
}

function rows(table, entries) {
  table.tBodies[0].replaceChildren(...entries.map(([name, value]) => {
    const row = document.createElement("tr");
    for (const text of [name, value]) row.append(Object.assign(document.createElement("td"), {textContent: text}));
    return row;
  }));
}

function showTables(setting) {
  const found = predict(setting), theirs = view.published && canPublish(setting) ? predict(setting, "published") : undefined;
  const number = value => value === undefined || !Number.isFinite(value) ? "none" : value.toPrecision(6);
  rows($("values"), Object.keys(QUANTITIES).map(name => [QUANTITIES[name], number(found?.[name]) + (theirs === undefined ? "" : ` (published ${number(theirs?.[name])})`)])
    .concat([["kept fraction α", number(found?.alpha)], ["signal λ", number(found?.lambda)]]));
}
