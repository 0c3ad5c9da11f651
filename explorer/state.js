// The setting on the page: its parameters, their ranges, and the state in the address.

/** scale: how a slider spans low to high; "log1p" reaches 0. only: the generators that have the parameter. */
const PARAMETERS = [
  {name: "n", symbol: "n", says: "real samples", low: 0, high: 100000, scale: "log1p", whole: true},
  {name: "m", symbol: "m", says: "synthetic samples", low: 0, high: 1000000, scale: "log1p", whole: true},
  {name: "p", symbol: "p", says: "features", low: 1, high: 10000, scale: "log", whole: true},
  {name: "mu", symbol: "|μ|", says: "length of the class mean", low: 0, high: 5, scale: "linear"},
  {name: "epsilon", symbol: "ε", says: "wrong synthetic labels", low: 0, high: 1, scale: "linear"},
  {name: "rho", symbol: "ρ", says: "wrong labels kept by the verifier", low: 0, high: 1, scale: "linear"},
  {name: "phi", symbol: "φ", says: "right labels kept by the verifier", low: 0, high: 1, scale: "linear"},
  {name: "gamma", symbol: "γ", says: "regulariser", low: 1e-4, high: 1e4, scale: "log"},
  {name: "omega", symbol: "ω", says: "weight of a synthetic sample", low: 1e-3, high: 1e3, scale: "log"},
  {name: "n_hat", symbol: "n̂", says: "samples the generator was fitted on", low: 2, high: 100000, scale: "log", whole: true, only: ["independent"]},
  {name: "beta", symbol: "β", says: "generator's mean along μ", low: -1, high: 2, scale: "linear", only: ["exact", "independent"]},
  {name: "mu_perp", symbol: "μ⊥", says: "generator's mean across μ", low: 0, high: 5, scale: "linear", only: ["exact", "independent"]},
  {name: "huber_threshold", symbol: "t", says: "margins further than t from 1 count linearly", low: 0.01, high: 100, scale: "log"},
  {name: "generations", symbol: "T", says: "generations", low: 1, high: 50, scale: "linear", whole: true, only: ["independent"]},
];
const CHOICES = {
  generator: {says: "generator", values: {exact: "exact", independent: "fitted on samples of its own", "self-fitted": "fitted on the real samples"}},
  estimate_mean: {says: "its mean is estimated too", values: {false: "no", true: "yes"}, only: ["independent"]},
  lineage: {says: "later generators are fitted on", values: {none: "one generator only", replace: "samples of the one before",
    accumulate: "all sets so far", fresh: "a fresh share of real data"}, only: ["independent"], why: whyOneGenerator},
  share: {says: "fresh share", number: [0, 1], only: ["independent"]},
  labels: {says: "synthetic labels are wrong", values: {given: "with probability ε", trained: "as often as a classifier trained on them errs"}, only: ["exact", "independent"]},
  loss: {says: "the classifier minimises", values: Object.fromEntries([["square", "square loss (ridge)"],
    ...losses.NAMES.filter(name => name !== "square").map(name => [name, `${name.replace("-", " ")} loss`])])},
};
const QUANTITIES = {accuracy: "accuracy", mean_margin: "mean margin", variance: "variance of the margin", risk: "risk",
  delta_r: "leverage of real samples, δr", delta_s: "leverage of synthetic samples, δs", delta_g: "δ of the generator's fit, δg"};
const SCALARS = ["delta_r", "delta_s", "delta_g"]; // of the fixed point of ridge
const BEGIN = {n: 200, m: 2000, p: 400, mu: 1.5, epsilon: 0.3, rho: 0.2, phi: 0.9, gamma: 1, omega: 1, n_hat: 1000, beta: 1, mu_perp: 0,
  generations: 3, generator: "exact", estimate_mean: false, lineage: "none", share: 0.2, loss: "square", huber_threshold: 1, labels: "given"};
const VIEW = {quantity: "accuracy", axis: "epsilon", published: false};

const parameter = name => PARAMETERS.find(one => one.name === name);

/** Why there can be no later generators; "" where there can. */
function whyOneGenerator(s) {
  if (s.loss !== "square") return `the page has later generators with the square loss only, Python (predict_tree) with the ${s.loss.replace("-", " ")} loss too`;
  if (!s.estimate_mean) return "later generators estimate the mean as well: say yes above";
  return s.beta !== 1 || s.mu_perp !== 0 ? "later generators have the mean of their samples: set β to 1 and μ⊥ to 0" : "";
}

/** Whether a parameter or choice means anything in a setting. */
function applies({name, only}, s) {
  if (only && !only.includes(s.generator)) return false;
  if (name === "epsilon") return s.labels === "given" || s.generator === "self-fitted";
  if (name === "huber_threshold") return s.loss === "huber";
  if (name === "lineage") return whyOneGenerator(s) === "";
  if (name === "generations") return whyOneGenerator(s) === "" && s.lineage !== "none";
  if (name === "share") return whyOneGenerator(s) === "" && s.lineage === "fresh";
  return !(["beta", "mu_perp"].includes(name) && s.loss === "square" && s.estimate_mean && s.lineage !== "none");
}

/** Whether a quantity is there in a setting. */
const given = (quantity, s) => !SCALARS.includes(quantity) || (s.generator !== "self-fitted" && s.loss === undefined && s.generations === undefined
  && (quantity !== "delta_g" || s.generator === "independent"));

/** The setting as `predict` takes it: without what does not apply. */
function settingOf(state) {
  const s = {generator: state.generator};
  for (const one of PARAMETERS) if (one.name !== "generations" && applies(one, state)) s[one.name] = state[one.name];
  if (state.loss !== "square") s.loss = state.loss;
  if (!("epsilon" in s)) s.labels = state.labels;
  if (state.generator === "independent") s.estimate_mean = state.estimate_mean;
  if (applies({name: "lineage", only: ["independent"]}, state) && state.lineage !== "none") {
    s.generations = state.generations;
    s.scheme = state.lineage === "fresh" ? `fresh:${state.share}` : state.lineage;
  }
  return s;
}

/** A number from a place 0 to 1 on a slider or an axis, and back. */
function numberAt({low, high, scale, whole}, place) {
  const value = scale === "linear" ? low + place * (high - low)
    : scale === "log" ? low * (high / low) ** place : Math.expm1(Math.log1p(low) + place * (Math.log1p(high) - Math.log1p(low)));
  return whole ? Math.round(value) : Number(value.toPrecision(4));
}
function placeOf({low, high, scale}, value) {
  const along = scale === "linear" ? x => x : scale === "log" ? Math.log : Math.log1p;
  return Math.min(1, Math.max(0, (along(value) - along(low)) / (along(high) - along(low))));
}

/** A number that is typed in, within the parameter's range; null where it is none. */
function allowed({name, low, whole}, text) {
  const value = Number(text), most = {epsilon: 1, rho: 1, phi: 1}[name] ?? Infinity, least = name === "beta" ? -Infinity : low >= 1e-4 && !whole ? 0 : low;
  if (text === "" || !Number.isFinite(value) || value < least || value > most || (whole && value !== Math.round(value))) return null;
  return value === 0 && ["gamma", "omega", "huber_threshold"].includes(name) ? null : value;
}

/** The address keeps what differs from the beginning. */
function toHash(state, view) {
  const given = {...state, ...view}, usual = {...BEGIN, ...VIEW};
  return new URLSearchParams(Object.entries(given).filter(([key, value]) => value !== usual[key]).map(([key, value]) => [key, String(value)])).toString();
}
function fromHash(hash) {
  const state = {...BEGIN}, view = {...VIEW};
  for (const [key, text] of new URLSearchParams(hash)) {
    const one = parameter(key), target = key in view ? view : state;
    if (one) state[key] = allowed(one, text) ?? state[key];
    else if (key === "share") state.share = Math.min(1, Math.max(0, Number(text) || 0));
    else if (key === "published" || key === "estimate_mean") target[key] = text === "true";
    else if ((key === "quantity" && text in QUANTITIES) || (key === "axis" && parameter(text)) || CHOICES[key]?.values?.[text]) target[key] = text;
  }
  return [state, view];
}

/** The command line and the Python that give the same numbers. */
function commandOf(setting, published) {
  const s = labelled(setting);
  const options = Object.entries(s).filter(([key, value]) => !(key === "generator" && value === "exact") && !(key === "beta" && value === 1)
    && !(["mu_perp"].includes(key) && value === 0) && !(key === "omega" && value === 1) && value !== false);
  const text = options.map(([key, value]) => `--${key.replaceAll("_", "-")}${value === true ? "" : ` ${value}`}`).join(" ");
  return `python cli.py predict ${text}${published ? " --formula published" : ""}`;
}
function pythonOf(setting, published) {
  const s = labelled(setting);
  const generator = s.generator === "exact" && s.beta === 1 && s.mu_perp === 0 ? "" : `\n    generator=sm.Generator("${s.generator}"`
    + (s.n_hat === undefined ? "" : `, n_hat=${s.n_hat}`) + (s.estimate_mean ? ", estimate_mean=True" : "")
    + (s.beta === undefined || s.beta === 1 ? "" : `, beta=${s.beta}`) + (s.mu_perp ? `, mu_perp=${s.mu_perp}` : "") + "),";
  const made = `sm.Setting(\n    n=${s.n}, m=${s.m}, p=${s.p}, mu=${s.mu}, epsilon=${s.epsilon},`
    + `\n    verifier=sm.Verifier(rho=${s.rho}, phi=${s.phi}),\n    ridge=sm.Ridge(${s.gamma}), omega=${s.omega},${generator}\n)`;
  const loss = s.loss === undefined ? "" : `, loss="${s.loss}"${s.huber_threshold === undefined ? "" : `, huber_threshold=${s.huber_threshold}`}`;
  const call = s.generations === undefined ? `sm.predict(setting${published ? ', formula="published"' : ""}${loss})`
    : `sm.predict_tree(sm.generations(setting, ${s.generations}, "${s.scheme}"))`;
  return `import synthmix as sm\n\nsetting = ${made}\nprint(${call})`;
}
