// The loops around the generated formulas, as solvers/kernels.py and solvers/predict.py have them, for covariances that are the identity.
//
// A setting has the names of the command line: n, m, p, mu, epsilon, rho, phi, gamma, omega, n_hat, beta, mu_perp, generator
// ("exact", "independent", "self-fitted"), estimate_mean, and optionally generations with a scheme (generations.js), a loss with a
// huber_threshold (any_loss.js), or labels in the place of epsilon.

const TOLERANCE = 1e-12, ENOUGH = 4e-16, STEPS = 400;

/** alpha, lambda and the share of wrong labels among the kept samples. */
function keptLabels({epsilon, rho, phi}) {
  const right = phi * (1 - epsilon), wrong = rho * epsilon, alpha = right + wrong;
  return {alpha, lambda: right - wrong, wrong: alpha > 0 ? wrong / alpha : 0};
}

/** The sources of training samples: theta, c, r, b, whether the mean is fitted, the labels' mean and variance, and the class mean. */
function sourcesOf(s) {
  const N = s.n + s.m, {alpha, wrong} = keptLabels(s);
  const synthetic = {
    theta: alpha * s.m / N, c: s.omega, r: 0, b: 0, meanFitted: false, label: 1 - 2 * wrong, spread: 4 * wrong * (1 - wrong),
    mean: [s.beta * s.mu, s.mu_perp], alpha,
  };
  if (s.generator === "self-fitted") return [{...synthetic, r: N / s.n, b: s.n / N, meanFitted: true}];
  if (s.generator === "independent") Object.assign(synthetic, {r: N / s.n_hat, meanFitted: s.estimate_mean});
  return [{theta: s.n / N, c: 1, r: 0, b: 0, meanFitted: false, label: 1, spread: 0, mean: [s.mu, 0], alpha: 1}, synthetic];
}

/** delta, d_delta, kappa, d_kappa, s, d_s of a source at q. */
function sourceAt(source, q) {
  const {theta, c, r, b} = source, delta = theory.leave_one_out(theta, c, r, b, q);
  const d_delta = theory.leave_one_out_slope(theta, c, r, b, q, delta);
  const [kappa, d_kappa] = theory.second_moment_weight(theta, c, b, delta, d_delta);
  const [s, d_s] = theory.covariance_weight(r, q, kappa, d_kappa);
  return {delta, d_delta, kappa, d_kappa, s, d_s, newton: d_s};
}

/** The same with the published delta and its slope; newton: the slope of its fixed point. */
function publishedAt(source, q) {
  const {theta, c, r, b, alpha} = source, delta = published.leave_one_out(theta, c, r, q, alpha);
  const d_delta = published.leave_one_out_slope(theta, c, r, q, delta);
  const [kappa, d_kappa] = theory.second_moment_weight(theta, c, b, delta, d_delta);
  const [s, d_s] = theory.covariance_weight(r, q, kappa, d_kappa);
  const moved = theory.second_moment_weight(theta, c, b, delta, published.fixed_point_slope(theta, c, r, q, delta, alpha));
  return {delta, d_delta, kappa, d_kappa, s, d_s, newton: theory.covariance_weight(r, q, ...moved)[1]};
}

/** (1/N) tr B by Newton within a bracket: the trace, sum of s, sum of the slopes of s, and the relative residual. */
function solveTrace(sources, at, gamma, eta) {
  const load = q => sources.reduce((sum, one) => sum + at(one, q).s, 0);
  let low = 0, high = eta / gamma, trace = eta / (gamma + load(0)), relative = Infinity, previous = Infinity, weight = 0, felt = 0;
  for (let step = 0; step < STEPS; step++) {
    let rise = 0;
    weight = felt = 0;
    for (const source of sources) {
      const {s, d_s, newton} = at(source, trace);
      weight += s;
      rise += newton;
      felt += d_s;
    }
    const [residual, slope] = theory.isotropic_residual(gamma, eta, trace, weight, rise);
    relative = Math.abs(residual) / (trace * (gamma + weight));
    if (relative <= ENOUGH) break;
    if (residual < 0) low = trace; else high = trace;
    let next = trace - residual / slope;
    if (!(low < next && next < high)) next = low > 0 ? Math.sqrt(low * high) : high / 2; // the safeguard: never leaves the bracket
    if (next === trace || (relative >= previous && relative <= TOLERANCE * 0.01)) break;
    previous = relative;
    trace = next;
  }
  return {trace, weight, felt, relative};
}

/** Mean margin and variance of a fresh sample, and the relative residual of the fixed point. */
function solvePoint(sources, at, gamma, eta, mu) {
  const {trace, weight, felt, relative} = solveTrace(sources, at, gamma, eta), x = gamma + weight;
  const [, slope] = theory.isotropic_residual(gamma, eta, trace, weight, felt);
  const speed = -trace / slope, means = [...sources.map(one => one.mean), [mu, 0]], K = sources.length;
  const products = means.map(a => means.map(b => theory.product_term(a[0] * b[0] + a[1] * b[1], x)));
  const slopes = means.map(a => means.map(b => theory.product_slope_term(a[0] * b[0] + a[1] * b[1], 1 + felt * speed, x)));
  const T = [], moves = [], signals = [];
  for (const source of sources) {
    const {theta, c, r, b, label, spread} = source, {delta, d_delta, kappa, d_kappa, s, d_s} = at(source, trace);
    const [share, d_share] = theory.fitted_share(theta, c, b, delta, d_delta);
    const [signal, d_signal, d_floor] = theory.signal(theta, c, r, b, trace, delta, d_delta, label, spread, 1, 0, share, d_share);
    T.push(source.meanFitted ? s : kappa);
    moves.push([source.meanFitted ? d_s : d_kappa, d_signal, d_floor]);
    signals.push(signal);
  }
  const residual = solveLinear(sources.map((_, k) => T.map((t, j) => products[k][j] * t + (k === j ? 1 : 0))), signals);
  let mean_margin = 0, variance = 0;
  for (let k = 0; k < K; k++) {
    mean_margin += products[K][k] * T[k] * residual[k];
    variance += theory.loss_slope_term(residual[k], T[k], ...moves[k], speed);
    for (let j = 0; j < K; j++) variance += T[k] * residual[k] * slopes[k][j] * T[j] * residual[j];
  }
  if (K === 1) return {mean_margin, variance, residual: relative};
  const [real, synthetic] = sources.map(one => at(one, trace));
  return {mean_margin, variance, residual: relative, delta_r: real.delta, delta_s: synthetic.delta, delta_g: sources[1].r * synthetic.kappa * trace};
}

/** Accuracy and risk beside mean margin and variance; without variance the sign decides. */
function outcome(solved) {
  const {mean_margin, variance} = solved;
  const accuracy = variance === 0 ? 0.5 + 0.5 * Math.sign(mean_margin) : theory.accuracy(mean_margin, variance);
  return {...solved, accuracy, risk: theory.risk(mean_margin, variance)};
}

/** A setting with its epsilon: where `labels` is "trained", the error of ridge trained on the synthetic samples alone, rightly labelled. */
function labelled({labels = "given", ...setting}) {
  if (labels === "given") return setting;
  const {loss: _, ...labeller} = setting, found = predict({...labeller, n: 0, epsilon: 0, rho: 0, phi: 1, omega: 1});
  return {...setting, epsilon: found === null ? 0 : 1 - found.accuracy};
}

/** The prediction of a setting, or null where there is none: nothing to train on, or a fixed point that is not solved. */
function predict(setting, formula = "rederived") {
  const s = {omega: 1, beta: 1, mu_perp: 0, generator: "exact", estimate_mean: false, generations: null, scheme: "replace", loss: "square",
    huber_threshold: 1, ...labelled(setting)};
  const {alpha, lambda} = keptLabels(s);
  if (s.n + s.m === 0 || (s.generator === "self-fitted" && (s.n === 0 || formula === "published"))) return null;
  if (s.loss !== "square" && (s.generations !== null || formula === "published")) return null;
  let solved, enough = TOLERANCE;
  if (s.loss !== "square") {
    solved = solveLoss(s.loss, s.huber_threshold, sourcesOf(s), s.gamma, s.p / (s.n + s.m), s.mu);
    enough = SOLVED;
  } else if (s.generations !== null) {
    if (formula === "published") return null;
    solved = solveTree(generationsOf(s, alpha), s);
  } else {
    solved = solvePoint(sourcesOf(s), formula === "published" ? publishedAt : sourceAt, s.gamma, s.p / (s.n + s.m), s.mu);
  }
  const finite = Number.isFinite(solved.mean_margin) && Number.isFinite(solved.variance);
  return finite && solved.residual <= enough ? {...outcome(solved), alpha, lambda} : null;
}
