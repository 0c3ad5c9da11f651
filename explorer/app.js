// The page: controls change the state, the state is drawn.

const POINTS = 200, SLICE = 12; // points of a curve; milliseconds of a frame that are spent on solving
let state, view, measured = [], best = null; // best: the mark of the best value along the axis, once it is found
const $ = id => document.getElementById(id);

function start(presets) {
  [state, view] = fromHash(location.hash.slice(1));
  fill($("quantity"), QUANTITIES);
  fill($("axis"), Object.fromEntries(PARAMETERS.map(one => [one.name, `${one.says}, ${one.symbol}`])));
  for (const [i, preset] of presets.entries()) $("preset").append(new Option(preset.name, i));
  const choices = (...names) => $("parameters").append(...names.map(name => choiceRow(name, CHOICES[name])));
  choices("generator", "loss");
  for (const one of [parameter("huber_threshold"), ...PARAMETERS.filter(({name}) => name !== "huber_threshold")]) {
    $("parameters").append(parameterRow(one));
    if (one.name === "n_hat") choices("estimate_mean", "lineage", "share");
    if (one.name === "mu") choices("labels");
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
  if (choice.why) row.append(document.createElement("small"));
  return row;
}

/** Measured points of a CSV file: columns named like parameters, a quantity, and its standard error as QUANTITY_se. */
function readPoints(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/).map(line => line.split(",").map(cell => cell.trim()));
  return lines.map(line => Object.fromEntries(header.map((name, i) => [name, line[i] === "" || Number.isNaN(Number(line[i])) ? line[i] : Number(line[i])])));
}

/** Whether a measured row is of the same kind of setting; a column that is not there fits any. */
function sameKind(row, setting) {
  const lined = "generations" in setting, wanted = {generator: setting.generator, loss: setting.loss ?? "square", generations: setting.generations ?? ""};
  Object.assign(wanted, lined ? {scheme: setting.scheme} : {estimate_mean: setting.estimate_mean ?? false}); // a line always estimates means
  return Object.entries(wanted).every(([name, value]) => name === view.axis || row[name] === undefined || String(row[name]).toLowerCase() === String(value));
}

/** The measured points of this setting along the axis. */
function pointsHere(given) {
  const setting = labelled(given);
  const others = PARAMETERS.filter(one => one.name !== view.axis && one.name in setting);
  return measured.filter(row => (row.kind ?? "simulated") === "simulated" && sameKind(row, setting) && Number.isFinite(row[view.axis]) && Number.isFinite(row[view.quantity])
    && others.every(({name}) => !(name in row) || Math.abs(row[name] - setting[name]) <= 1e-9 * Math.abs(setting[name])))
    .map(row => ({x: row[view.axis], y: row[view.quantity], se: row[`${view.quantity}_se`]}));
}

/** A curve over the axis, yet without values. */
function emptyCurve(formula, along) {
  const x = Array.from({length: POINTS}, (_, i) => numberAt({...along, whole: false}, i / (POINTS - 1))).map(value => along.name === "generations" ? Math.round(value) : value);
  return {kind: formula === "published" ? "published" : "theory", label: formula === "published" ? "published formula" : "theory", formula, x,
    places: x.map(value => placeOf(along, value)), y: new Array(POINTS).fill(undefined), impossible: false};
}

/** Fill curves point by point, the whole range coarsely first; points that are still missing are undefined. */
function* fillCurves(curves, setting, along, quantity) {
  for (let stride = 16; stride >= 1; stride /= 2) {
    for (let i = 0; i < POINTS; i += stride) {
      for (const curve of curves) {
        if (curve.y[i] !== undefined) continue;
        const found = predict({...setting, [along.name]: curve.x[i]}, curve.formula);
        curve.y[i] = found === null ? NaN : found[quantity];
        curve.impossible ||= found?.variance < 0;
        yield;
      }
    }
  }
}

/** The value of a parameter with the highest accuracy: a scan over its range, then golden section between the neighbours. */
function* bestOf(setting, name) {
  const along = {...parameter(name), whole: false}, at = x => predict({...setting, [name]: x})?.accuracy ?? -1;
  let top = 0, most = -1;
  for (let i = 0; i <= 40; i++) {
    const value = at(numberAt(along, i / 40));
    if (value > most) [top, most] = [i / 40, value];
    yield;
  }
  let low = Math.max(0, top - 1 / 40), high = Math.min(1, top + 1 / 40);
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let i = 0; i < 24; i++) {
    const a = high - golden * (high - low), b = low + golden * (high - low);
    if (at(numberAt(along, a)) < at(numberAt(along, b))) low = a; else high = b;
    yield;
  }
  const x = numberAt(along, (low + high) / 2);
  return {x, accuracy: predict({...setting, [name]: x})?.accuracy ?? NaN};
}

/** Work that is cut into frames, by name: a new piece of a name ends the one before. Every step of the work is a `yield`. */
const atWork = {};
function inFrames(name, work, shown = () => {}) {
  clearTimeout(atWork[name]);
  const begun = performance.now();
  let done = false;
  while (!done && performance.now() - begun < SLICE) ({done} = work.next());
  shown(done);
  if (!done) atWork[name] = setTimeout(() => inFrames(name, work, shown));
}

function refresh() {
  best = null;
  const setting = settingOf(state), along = parameter(view.axis);
  if (!applies(along, state)) view.axis = applies(parameter("epsilon"), state) ? "epsilon" : "m";
  if (!given(view.quantity, setting)) view.quantity = "accuracy";
  showControls();
  drawCurves(setting, parameter(view.axis));
  showTables(setting);
  $("command").replaceChildren(...spans(commandOf(setting, view.published && canPublish(setting))));
  $("python").textContent = pythonOf(setting, view.published && canPublish(setting));
  history.replaceState(null, "", `#${toHash(state, view)}`);
  for (const name of ["map", "best"]) clearTimeout(atWork[name]);
  clearTimeout(refresh.later);
  refresh.later = setTimeout(() => later(setting), 120);
}

/** What takes longer than a frame waits until the sliders rest. */
function later(setting) {
  if (predict(setting) === null) return $("map").replaceChildren(), $("best").tBodies[0].replaceChildren();
  inFrames("best", showBest(setting));
  inFrames("map", drawMap($("map"), setting));
}

function* showBest(setting) {
  const omega = yield* bestOf(setting, "omega"), gamma = yield* bestOf(setting, "gamma"), points = ({accuracy}) => `${(100 * accuracy).toFixed(2)} %`;
  const ended = (name, x) => x > 0.99 * parameter(name).high || x < 1.01 * parameter(name).low ? " (the end of its range)" : "";
  const entries = [[`weight ω = ${omega.x}${ended("omega", omega.x)} at γ = ${setting.gamma}`, points(omega)],
    [`regulariser γ = ${gamma.x}${ended("gamma", gamma.x)} at ω = ${setting.omega}`, points(gamma)]];
  rows($("best"), entries);
  best = {omega, gamma}[view.axis] ?? null;
  if (best && view.quantity === "accuracy") drawCurves(setting, parameter(view.axis));
  let both = {...setting}, last = 0;
  for (let i = 0; i < 12; i++) {
    both = {...both, omega: (yield* bestOf(both, "omega")).x};
    const next = yield* bestOf(both, "gamma");
    both.gamma = next.x;
    if (next.accuracy - last < 1e-7) break;
    last = next.accuracy;
  }
  rows($("best"), [...entries, [`both, ω = ${both.omega}${ended("omega", both.omega)}, γ = ${both.gamma}${ended("gamma", both.gamma)}`, points({accuracy: predict(both).accuracy})]]);
}

const canPublish = setting => setting.generator !== "self-fitted" && setting.generations === undefined && setting.loss === undefined;

function drawCurves(setting, along) {
  const {quantity} = view, curves = [emptyCurve("rederived", along)], points = pointsHere(setting);
  if (view.published && canPublish(setting)) curves.push(emptyCurve("published", along));
  const star = view.axis === "epsilon" && setting.rho + setting.phi > 0 ? synthetic_only.critical_noise(setting.rho, setting.phi) : null;
  inFrames("curves", fillCurves(curves, setting, along, quantity), done => {
    drawChart($("chart"), {along, quantity, curves, points, here: setting[along.name] ?? state[along.name], star,
      best: best && quantity === "accuracy" ? {x: best.x, y: best.accuracy} : null});
    if (done) $("notes").textContent = notesOn(setting, curves).join(" ");
  });
}

function notesOn(setting, [own, theirs]) {
  const notes = [];
  if (view.published && !canPublish(setting)) notes.push(`The paper has no formula for this ${setting.loss ? "loss" : "generator"}.`);
  if (theirs?.impossible) notes.push("The published formula predicts a negative variance on a part of the curve, which is impossible.");
  if (own.y.every(value => !Number.isFinite(value))) notes.push("There is nothing to train on, or nothing to fit the generator on.");
  else if (setting.loss && own.y.some(value => !Number.isFinite(value))) notes.push("Where the curve has a gap the fixed point was not solved to 1e-9.");
  return notes;
}

function showControls() {
  for (const row of $("parameters").children) {
    const {name} = row.dataset, one = parameter(name), control = row.querySelector("select, input");
    const {only, why} = one ?? CHOICES[name], reason = why?.(state) ?? "";
    row.hidden = why ? !only.includes(state.generator) : !applies({name, only}, state);
    control.disabled = reason !== "";
    if (why) row.querySelector("small").textContent = reason;
    if (document.activeElement !== control || control.type !== "text") control.value = reason ? "none" : String(state[name]);
    if (one) row.querySelector("[type=range]").value = Math.round(1000 * placeOf(one, state[name]));
  }
  for (const option of $("quantity").options) option.hidden = !given(option.value, settingOf(state));
  for (const option of $("axis").options) option.hidden = !applies(parameter(option.value), state);
  $("quantity").value = view.quantity;
  $("axis").value = view.axis;
  $("published").checked = view.published;
}

function rows(table, entries) {
  table.tBodies[0].replaceChildren(...entries.map(cells => {
    const row = document.createElement("tr");
    for (const text of cells) row.append(Object.assign(document.createElement("td"), {textContent: text}));
    return row;
  }));
}

/** The words of a command, an option with its value on one line. */
function spans(command) {
  return command.split(/ (?=--)/).flatMap((text, i) => [i ? " " : "", Object.assign(document.createElement("span"), {textContent: text})]);
}

function showTables(setting) {
  const found = predict(setting), both = view.published && canPublish(setting), theirs = both ? predict(setting, "published") : null;
  const number = value => value === undefined || !Number.isFinite(value) ? "none" : value.toPrecision(6);
  const quantities = Object.keys(QUANTITIES).filter(name => given(name, setting));
  $("values").tHead.hidden = !both;
  rows($("values"), [
    ...quantities.map(name => [QUANTITIES[name], number(found?.[name]), ...both ? [number(theirs?.[name])] : []]),
    ...[...("epsilon" in setting ? [] : [["wrong labels, ε", number(labelled(setting).epsilon)]]),
      ["kept fraction, α", number(found?.alpha)], ["signal, λ", number(found?.lambda)]].map(row => both ? [...row, ""] : row),
  ]);
}
