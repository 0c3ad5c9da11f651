// Any convex loss: the fixed point of solvers/convex.py and the integrals of solvers/loss_side.py, for covariances that are the identity.
//
// A node {mean, variance, leverage} is an array of three: what a left-out sample sees. Every source has one; the generated samples of a
// fitted generator have one more, behind those of the sources.

const ROUGH = 0, FINE = 1, FINEST = 2, PER_SPREAD = [0.25, 0.4, 0.55], PER_MARGIN = [0.5, 1, 1.4], REACH = 9;
const SOLVED = 1e-9, ROUND_OFF = 1e-14, NEAR = 1e-6, ON_PATH = 1e-4, STRIDE = 2;
const LEGENDRE = legendre(10);
const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/** Nodes and weights of Gauss and Legendre: Newton on the polynomial. */
function legendre(n) {
  const nodes = [], weights = [];
  for (let i = 0; i < n; i++) {
    let x = -Math.cos(Math.PI * (i + 0.75) / (n + 0.5)), slope = 0;
    for (let step = 0; step < 20; step++) {
      let before = 1, value = x;
      for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = n * (x * value - before) / (x * x - 1);
      x -= value / slope;
    }
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * slope * slope));
  }
  return {nodes, weights};
}

/** The proximal step argmin_u c ell(u) + (u - h)^2 / (2 delta) of a smooth loss: Newton within its bracket, which is halved where a step is
 * more than half the step before it: Newton alone can jump to and fro over the bend of the loss. */
function prox(kind, h, c, delta, threshold) {
  const rate = c * delta;
  let [, slope, curvature] = losses.margin_loss(kind, h, threshold);
  let low = Math.min(h, h - rate * slope), high = Math.max(h, h - rate * slope), u = h - rate * slope / (1 + rate * curvature);
  let step = high - low, before = 4 * step;
  for (let turn = 0; turn < 200; turn++) {
    if (!(low < u && u < high) || Math.abs(step) > 0.5 * before) {
      before = high - low;
      u = 0.5 * (low + high);
    } else before = Math.abs(step);
    [, slope, curvature] = losses.margin_loss(kind, u, threshold);
    const over = u - h + rate * slope;
    if (over > 0) high = u; else low = u;
    step = over / (1 + rate * curvature);
    u -= step;
    if (Math.abs(step) <= 1e-9 * (1 + Math.abs(u)) || high - low <= 1e-15 * (1 + Math.abs(u))) break;
  }
  return Math.min(Math.max(u, low), high);
}

/** P(low < g < high), without cancellation in either tail. */
function mass(low, high) {
  return low > 0 ? 0.5 * (erfc(low * Math.SQRT1_2) - erfc(high * Math.SQRT1_2)) : 0.5 * (erfc(-high * Math.SQRT1_2) - erfc(-low * Math.SQRT1_2));
}

/** The ten moments of a force that is linear interval by interval. */
function linearMoments(kind, c, delta, threshold, mean, sd) {
  const pieces = losses.linear_force(kind, c, delta, threshold), steps = losses.linear_step(kind, c, delta, threshold);
  const count = (pieces.length + 1) / 3, out = new Float64Array(10);
  let middle = 0;
  for (let i = 0; i < count - 1; i++) if (mean > pieces[i]) middle = i + 1;
  const centre = steps[2 * middle] + steps[2 * middle + 1] * mean; // so that the variance of u does not cancel
  let response = 0, shift = 0, square = 0, low = -Infinity, lowDensity = 0, lowProduct = 0;
  for (let i = 0; i < count; i++) {
    const high = i < count - 1 ? (pieces[i] - mean) / sd : Infinity;
    const density = Number.isFinite(high) ? DENSITY * Math.exp(-0.5 * high * high) : 0, product = density ? high * density : 0;
    const intercept = pieces[count - 1 + 2 * i], slope = pieces[count + 2 * i];
    if (high > low) {
      const here = mass(low, high), first = lowDensity - density, second = here + lowProduct - product;
      if (intercept !== 0 || slope !== 0) two_sides.linear_moments(intercept, slope, mean, sd, here, first, second).forEach((part, j) => { out[j] += part; });
      const [turn, away, away2] = two_sides.linear_step(steps[2 * i] - centre, steps[2 * i + 1], mean, sd, here, first, second);
      response += turn;
      shift += away;
      square += away2;
    }
    [low, lowDensity, lowProduct] = [high, density, product];
  }
  out[8] = response;
  out[9] = square - shift * shift;
  return out;
}

/** The ten moments of a smooth force: integrals over u on panels that share out the spread of h and the range of u. */
function smoothMoments(kind, c, delta, threshold, mean, sd, level) {
  const rate = c * delta, a = PER_SPREAD[level], b = PER_MARGIN[level], inverse = 1 / sd;
  const begin = prox(kind, mean - REACH * sd, c, delta, threshold), end = prox(kind, mean + REACH * sd, c, delta, threshold);
  const w = 1 + Math.log1p(rate * losses.margin_loss(kind, 0, threshold)[2]), bw = b * w;
  const first = bw * Math.asinh(begin / w) - a * REACH, span = bw * Math.asinh(end / w) + a * REACH - first;
  const panels = Math.ceil(span), width = span / panels, centre = prox(kind, mean, c, delta, threshold);
  let f1 = 0, f2 = 0, d1 = 0, fd = 0, ffd = 0, dg = 0, dgg = 0, fdg = 0, response = 0, shift = 0, square = 0, left = begin;
  for (let j = 0; j < panels; j++) {
    let right = end;
    if (j < panels - 1) { // the panel's end, by Newton
      const place = first + (j + 1) * width;
      let low = left, high = end, u = left, before = 4 * (end - left);
      for (let turn = 0; turn < 200; turn++) {
        const [, slope, curvature] = losses.margin_loss(kind, u, threshold);
        const over = a * (u + rate * slope - mean) * inverse + bw * Math.asinh(u / w) - place;
        if (Math.abs(over) < 0.1 * width) break;
        if (turn > 0 && over > 0) high = u; else low = u;
        const step = over / (a * inverse * (1 + rate * curvature) + b / Math.sqrt(1 + (u / w) ** 2));
        u -= step;
        if (!(low < u && u < high) || Math.abs(step) > 0.5 * before) {
          before = high - low;
          u = 0.5 * (low + high);
        } else before = Math.abs(step);
      }
      right = u;
    }
    const half = 0.5 * (right - left), middle = 0.5 * (right + left);
    for (let i = 0; i < LEGENDRE.nodes.length; i++) {
      const u = middle + half * LEGENDRE.nodes[i], [, slope, curvature] = losses.margin_loss(kind, u, threshold);
      const f = -c * slope, g = (u - delta * f - mean) * inverse;
      let weight = LEGENDRE.weights[i] * half * inverse * DENSITY * Math.exp(-0.5 * g * g);
      const d = -weight * c * curvature; // f' dh = -c ell'' du
      response += weight; // u' dh = du
      weight *= 1 + rate * curvature;
      shift += weight * (u - centre);
      square += weight * (u - centre) * (u - centre);
      weight *= f;
      f1 += weight;
      f2 += weight * f;
      d1 += d;
      fd += d * f;
      ffd += d * f * f;
      dg += d * g;
      dgg += d * (g * g - 1);
      fdg += d * f * g;
    }
    left = right;
  }
  return [f1, d1, f2, fd, ffd, dg, dgg, fdg, response, square - shift * shift];
}

const NO_MOMENTS = new Float64Array(10);

/** Mean force, curvature and noise, then their slopes (12 numbers); and mean response and variance of u where the label is right. */
function forcesOf({kind, threshold}, theta, c, wrong, [m, v, delta], level) {
  const sd = Math.sqrt(v), moments = mean => kind < losses.CLOSED ? linearMoments(kind, c, delta, threshold, mean, sd)
    : smoothMoments(kind, c, delta, threshold, mean, sd, level);
  const right = wrong < 1 ? moments(m) : NO_MOMENTS, flipped = wrong > 0 ? moments(-m) : NO_MOMENTS;
  const found = two_sides.forces(theta, wrong, sd, right[0], right[1], right[2], right[3], right[4], right[5], right[6], right[7],
    flipped[0], flipped[1], flipped[2], flipped[3], flipped[4], flipped[5], flipped[6], flipped[7]);
  return {found, response: right[8], spread: right[9]};
}

const zeros = (rows, columns) => Array.from({length: rows}, () => new Array(columns).fill(0));

/** What the sources see of forces (K, 3), and the slopes (3 K, 3 K). */
function seenOf({sources, products, h}, gamma, pulls) {
  const K = sources.length, along = sources.map((_, k) => pulls.reduce((sum, pull, i) => sum + products[k][i] * pull[0], 0));
  const x = pulls.reduce((sum, pull) => sum + pull[1], gamma), both = pulls.reduce((sum, pull, k) => sum + h * pull[2] + pull[0] * along[k], 0);
  const slopes = zeros(3 * K, 3 * K), seen = sources.map((_, k) => two_sides.seen_terms(h, 1, along[k], both, x));
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < K; i++) {
      const part = two_sides.seen_slopes(h, 1, 1, along[k], along[i], products[k][i], both, x);
      slopes[3 * k].splice(3 * i, 2, part[0], part[1]);
      slopes[3 * k + 1].splice(3 * i, 3, part[2], part[3], part[4]);
      slopes[3 * k + 2][3 * i + 1] = part[5];
    }
  }
  return {seen, slopes};
}

/** Once from z (J, 3) through forces and spectrum: pulls (K, 3), the new nodes T (J, 3) and their slopes (3 J, 3 J). */
function roundOf(problem, gamma, z, level) {
  const {sources, child} = problem, K = sources.length, J = z.length, T = zeros(J, 3), slopes = zeros(3 * J, 3 * J), pulls = zeros(K, 3);
  const pullSlopes = zeros(3 * K, 3 * J);
  sources.forEach((source, k) => {
    const {theta, c, r, b, wrong, meanFitted} = source, node = child[k] < 0 ? k : child[k];
    const own = forcesOf(problem, theta, c, wrong, z[node], level).found;
    if (child[k] < 0) {
      for (let i = 0; i < 3; i++) {
        pulls[k][i] = own[i];
        for (let j = 0; j < 3; j++) pullSlopes[3 * k + i][3 * k + j] = own[3 + 3 * i + j];
      }
      return;
    }
    const step = baseStep(problem, r, b, meanFitted ? 1 : 0, own, z[k], z[node][0], level);
    for (let i = 0; i < 6; i++) { // mhat, s, qhat of the base, then mean, variance, leverage that the generated samples see
      const first = 6 + 7 * i;
      for (let j = 0; j < 3; j++) {
        let through = j === 0 ? step[first + 6] : 0;
        for (let a = 0; a < 3; a++) through += step[first + 3 + a] * own[3 + 3 * a + j];
        const row = i < 3 ? pullSlopes[3 * k + i] : slopes[3 * node + i - 3];
        row[3 * k + j] = step[first + j];
        row[3 * node + j] = through;
      }
    }
    for (let i = 0; i < 3; i++) {
      pulls[k][i] = step[i];
      T[node][i] = step[3 + i];
    }
  });
  const {seen, slopes: dataSlopes} = seenOf(problem, gamma, pulls);
  for (let k = 0; k < K; k++) T[k] = seen[k];
  for (let i = 0; i < 3 * K; i++) {
    for (let a = 0; a < 3 * K; a++) {
      if (dataSlopes[i][a] !== 0) for (let j = 0; j < 3 * J; j++) slopes[i][j] += dataSlopes[i][a] * pullSlopes[a][j];
    }
  }
  return {T, slopes, pulls};
}

/** The step of the base of a fitted generator, whose samples pull with `own` and have the mean margin `mean`. */
function baseStep(problem, r, b, fitted, own, [m, v, q], mean, level) {
  const inside = two_sides.base_input(m, v, q, own[0], own[1], own[2], mean, r, fitted);
  let f = new Float64Array(12), response = 1, spread = inside[1];
  if (b > 0) ({found: f, response, spread} = forcesOf(problem, 1, b * r, 0, inside, level));
  const df = [1, 6, 7, 8].map(i => -f[i]); // forces are returned with the curvature, E[-f']
  return two_sides.base_step(m, v, q, own[0], own[1], own[2], mean, r, fitted, f[0], df[0], f[2], response, spread, f[3], f[4], f[5],
    df[1], df[2], df[3], f[9], f[10], f[11]);
}

/** The largest relative difference of z and T, that of the means in units of the second moment of the margin. */
function differenceOf(z, T) {
  let largest = 0;
  for (let j = 0; j < z.length; j++) {
    const [mean, variance, leverage] = T[j];
    if (!(variance > 0 && leverage > 0)) return Infinity;
    largest = Math.max(largest, Math.abs(mean - z[j][0]) / Math.sqrt(variance + mean * mean), Math.abs(variance / z[j][1] - 1), Math.abs(leverage / z[j][2] - 1));
  }
  return largest < Infinity ? largest : Infinity;
}

/** Newton in mean, log variance and log leverage from z, until the residual is at most `enough`: {z, residual, pulls}. */
function newton(problem, gamma, z, level, enough, steps) {
  const n = 3 * z.length;
  let at = roundOf(problem, gamma, z, level), residual = differenceOf(z, at.T);
  for (let round = 0; round < steps && enough < residual && residual < Infinity; round++) {
    const step = new Array(n), A = zeros(n, n);
    for (let i = 0; i < n; i++) {
      const a = Math.floor(i / 3), part = i % 3, target = at.T[a][part];
      step[i] = part ? Math.log(target / z[a][part]) : target - z[a][0];
      for (let j = 0; j < n; j++) A[i][j] = (i === j ? 1 : 0) - at.slopes[i][j] * (j % 3 ? z[Math.floor(j / 3)][j % 3] : 1) / (part ? target : 1);
    }
    solveLinear(A, step);
    const stride = Math.max(...z.map(([mean, variance], j) => Math.max(Math.abs(step[3 * j]) / Math.sqrt(variance + mean * mean),
      Math.abs(step[3 * j + 1]), 2 * Math.abs(step[3 * j + 2]))));
    if (!(stride < Infinity)) break;
    let length = stride > 0 ? Math.min(1, 2 * STRIDE / stride) : 1, better = null;
    for (let k = 0; k < 6 && !better; k++) {
      const tried = z.map(([mean, variance, leverage], j) => [mean + length * step[3 * j], variance * Math.exp(length * step[3 * j + 1]),
        leverage * Math.exp(length * step[3 * j + 2])]);
      const there = roundOf(problem, gamma, tried, level), reached = differenceOf(tried, there.T);
      if (reached < residual * (1 - 0.05 * length)) better = {tried, there, reached};
      length *= 0.4;
    }
    if (!better) break; // rounding is all that is left
    ({tried: z, there: at, reached: residual} = better);
  }
  return {z, residual, pulls: at.pulls};
}

/** A first guess: the fixed point's first round from a ridge so heavy that every margin is near 0. */
function beginning(problem, gamma) {
  const {sources, child, h} = problem, small = [0, 1e-4, h / gamma];
  const pulls = sources.map(({theta, c, r, b, wrong}) => {
    const own = Array.from(forcesOf(problem, theta, c, wrong, small, ROUGH).found.slice(0, 3));
    if (b > 0) forcesOf(problem, 1 / r, b * r, 0, small, ROUGH).found.slice(0, 3).forEach((value, i) => { own[i] += value; });
    return own;
  });
  const {seen} = seenOf(problem, gamma, pulls);
  return [...seen, ...sources.map((_, k) => k).filter(k => child[k] >= 0).map(k => [...seen[k]])];
}

/** A ridge so heavy that every margin is small. */
function heavyRidge({sources, products, h}, gamma) {
  const load = sources.reduce((sum, {theta, c, b}, k) => sum + (theta * c + b) * (h + Math.max(products[k][k], 0)), 0);
  return 10 * Math.max(gamma, load);
}

/** The fixed point followed from a heavy ridge down to gamma, in steps of log gamma. */
function followed(problem, gamma) {
  let at = heavyRidge(problem, gamma), found = newton(problem, at, beginning(problem, at), ROUGH, ON_PATH, 40);
  let here = found.z, before = found.z, step = Math.log(100), last = 0;
  for (let k = 0; k < 400 && at > gamma && found.residual <= ON_PATH; k++) {
    const to = Math.max(gamma, at * Math.exp(-step)), ahead = last > 0 ? Math.log(at / to) / last : 0;
    const guess = here.map((node, j) => [node[0] + ahead * (node[0] - before[j][0]), node[1] * (node[1] / before[j][1]) ** ahead,
      node[2] * (node[2] / before[j][2]) ** ahead]);
    const next = newton(problem, to, guess, ROUGH, ON_PATH, 8);
    if (next.residual <= ON_PATH) {
      [before, here, found, last, at] = [here, next.z, next, Math.log(at / to), to];
      step *= 1.5;
    } else if ((step *= 0.4) < 1e-4) break;
  }
  return at <= gamma ? found : {...found, residual: Infinity};
}

/** Mean margin and variance of a fresh sample where a loss is minimised, and the residual: what one more, finer round would change. */
function solveLoss(name, threshold, sources, gamma, eta, mu) {
  const wanted = sources.map(source => ({...source, wrong: (1 - source.label) / 2})), K = sources.length;
  const means = [...sources.map(one => one.mean), [mu, 0]], products = means.map(a => means.map(b => a[0] * b[0] + a[1] * b[1]));
  const child = [], problem = {kind: losses.NAMES.indexOf(name), threshold, sources: wanted, products, h: eta, child};
  for (const {r} of sources) child.push(r > 0 ? K + child.filter(node => node >= 0).length : -1);
  if (sources.every(({theta, c, b}) => theta * c + b === 0)) return {mean_margin: 0, variance: 0, residual: 0}; // nothing trains
  let found = newton(problem, gamma, beginning(problem, gamma), ROUGH, NEAR, 25);
  if (!(found.residual <= NEAR)) found = followed(problem, gamma);
  if (found.residual <= ON_PATH) found = newton(problem, gamma, found.z, FINE, ROUND_OFF, 20);
  if (problem.kind === HINGE && !(found.residual <= SOLVED)) found = solveGathered(problem, heavyRidge(problem, gamma), gamma);
  if (problem.kind >= losses.CLOSED) {
    const finer = roundOf(problem, gamma, found.z, FINEST);
    found = {...found, pulls: finer.pulls, residual: Math.max(found.residual, differenceOf(found.z, finer.T))};
  }
  const pull = i => found.pulls.reduce((sum, one) => sum + one[i], 0), x = gamma + pull(1);
  const weighted = a => found.pulls.reduce((sum, one, i) => sum + products[a][i] * one[0], 0);
  const both = eta * pull(2) + found.pulls.reduce((sum, one, k) => sum + one[0] * weighted(k), 0);
  const [mean_margin, variance] = two_sides.seen_terms(eta, 1, weighted(K), both, x);
  return {mean_margin, variance, residual: found.residual};
}
