// The hinge loss with samples whose margins gather on its kink: solvers/gathered.py, for covariances that are the identity.
//
// The unknowns x are X, log Y, log leverage of a source and of the generated samples of a fitted one, and m, log v, log q of a fitted base.

const ROUNDED = 1e-20, LEAST = 1e-250, IDLE = 1e-9, HINGE = losses.NAMES.indexOf("hinge");
const nodesOf = ({child}) => child.length + child.filter(node => node >= 0).length;
const GATHERED = {enough: 1e-12, difference: 1e-7, stride: 3, backtracks: 8, signs: 3, first: Math.log(10), least: 1e-3, steps: 400};

/** The moments of a margin `offset` below the kink, with that standard deviation, both in units of the leverage. */
const stuck = (c, offset, spread) => linearMoments(HINGE, c, 1, 1, 1 - offset, spread);

/** E of the positive part of spread (g - t), g ~ N(0, 1). */
const beyond = (t, spread) => spread * (DENSITY * Math.exp(-0.5 * t * t) - 0.5 * t * erfc(t * Math.SQRT1_2));

/** Mean force, curvature times D, noise of generated samples; `side`: the kink, +1 of right labels or -1 of wrong ones. */
function ownForces({theta, c, wrong}, side, offset, y, width) {
  const [near, far] = side > 0 ? [1 - wrong, wrong] : [wrong, 1 - wrong], spread = Math.sqrt(y);
  const one = stuck(c, offset, spread), other = far > 0 ? stuck(c, 2 / width - offset, spread) : NO_MOMENTS;
  return [side * theta * (near * one[0] - far * other[0]), -theta * (near * one[1] + far * other[1]), theta * (near * one[2] + far * other[2])];
}

/** At the unknowns x: the pulls, what left-out samples see z, the changes of x in one round, and the largest of these, relative. */
function gapsAt(problem, gamma, kinks, rounded, x) {
  const {sources, child, h} = problem, z = new Array(nodesOf(problem)), pulls = [], gaps = new Array(x.length);
  sources.forEach((source, k) => {
    const node = child[k];
    if (node < 0) {
      const offset = x[3 * k], y = Math.exp(x[3 * k + 1]), leverage = Math.exp(x[3 * k + 2]), D = leverage + rounded * h / gamma;
      const [mhat, sD, qhat] = ownForces(source, kinks[k], offset, y, D);
      z[k] = [kinks[k] * (1 - offset * D), y * D * D, leverage];
      pulls.push([mhat, sD / D, qhat]);
    } else pulls.push(gatheredFit(source, k, node, kinks[node], rounded, x, z, gaps));
  });
  const {seen} = seenOf(problem, gamma, pulls);
  seen.forEach(([mean, variance, leverage], k) => {
    gaps[3 * k] = mean - z[k][0];
    gaps[3 * k + 1] = Math.log(variance / z[k][1]);
    gaps[3 * k + 2] = Math.log(leverage / z[k][2]);
  });
  return {x, z, pulls, gaps, residual: largestGap(problem, x, z, gaps)};
}

/** The pull of a fitted source; fills z and gaps of its base k and of its generated samples, the node. */
function gatheredFit({theta, c, r, b, meanFitted, wrong}, k, node, kink, rounded, x, z, gaps) {
  const m = x[3 * k], v = Math.exp(x[3 * k + 1]), q = Math.exp(x[3 * k + 2]), fitted = meanFitted ? 1 : 0;
  const offset = x[3 * node], y = Math.exp(x[3 * node + 1]), leverage = Math.exp(x[3 * node + 2]), D = leverage + rounded * q;
  const mean = kink * (1 - offset * D), [mhat, sD, qhat] = ownForces({theta, c, wrong}, kink, offset, y, D);
  const load = r * q * sD, given = D / (D + load), held = load / (D + load); // load: r s q times D
  const stepOf = (...own) => two_sides.gathered_step(m, v, q, mhat, qhat, mean, r, fitted, given, held, ...own);
  z[k] = [m, v, q];
  z[node] = [mean, y * D * D, leverage];
  let step = stepOf(0, 0, 0), response = 1, square = step[1], trained = 0, below = 0;
  if (b > 0) {
    trained = Math.sqrt(step[1]);
    below = fitted ? (kink > 0 ? offset * D : 2 - offset * D) / (q * given) - step[0] : (1 - m) / (q * given);
    const one = stuck(b * r, below, trained);
    response = Math.max(one[8], LEAST);
    square = Math.max(one[9], LEAST); // where all of the base lies on its own kink
    step = stepOf(-one[1], one[0], one[2]);
  }
  const away = q * given * step[5]; // change of the mean
  if (trained > 0 && kink > 0) { // without the mean force, which cancels where the base lies on its own kink
    gaps[3 * node] = q * given / D * (beyond((b * r - below) / trained, trained) - beyond(below / trained, trained)) - offset;
  } else gaps[3 * node] = fitted ? -kink * away / D : (m + away - mean) / Math.sqrt(v + m * m);
  gaps[3 * node + 1] = Math.log(square / y) + 2 * Math.log(q * given / D);
  gaps[3 * node + 2] = Math.log(response * q * given / leverage);
  return [step[2], step[3], step[4]];
}

/** The largest relative change; means in units of the second moment of the margin, X of generated samples in those of X. */
function largestGap({sources, child}, x, z, gaps) {
  let largest = 0;
  sources.forEach(({c, meanFitted}, k) => {
    const node = child[k], [mean, variance] = z[k];
    largest = Math.max(largest, Math.abs(gaps[3 * k]) / Math.sqrt(variance + mean * mean));
    if (node < 0) return;
    const scale = meanFitted ? Math.exp(x[3 * node + 1] / 2) + Math.abs(x[3 * node]) + IDLE * c : 1;
    largest = Math.max(largest, Math.abs(gaps[3 * node]) / scale);
  });
  if (!gaps.every(gap => Math.abs(gap) < Infinity)) return Infinity;
  return Math.max(largest, ...gaps.filter((_, i) => i % 3).map(Math.abs));
}

/** Newton from x with slopes by differences: what `gapsAt` finds at the end. */
function gatheredNewton(problem, gamma, kinks, rounded, x, enough, steps) {
  const here = x => gapsAt(problem, gamma, kinks, rounded, x), n = x.length;
  let at = here(x);
  for (let round = 0; round < steps && enough < at.residual && at.residual < Infinity; round++) {
    const A = zeros(n, n), step = [...at.gaps], from = at.x;
    for (let j = 0; j < n; j++) {
      const moved = [...from];
      moved[j] += GATHERED.difference * (j % 3 ? 1 : 1 + Math.abs(from[j]));
      here(moved).gaps.forEach((gap, i) => { A[i][j] = (at.gaps[i] - gap) / (moved[j] - from[j]); });
    }
    solveLinear(A, step);
    const stride = Math.max(...step.map((move, j) => Math.abs(move) / (j % 3 ? 1 : Math.abs(from[j]) + Math.exp(from[j + 1] / 2) + IDLE)));
    if (!(stride < Infinity)) break;
    let length = stride > 0 ? Math.min(1, GATHERED.stride / stride) : 1, better = null;
    for (let k = 0; k < GATHERED.backtracks && !better; k++) {
      const tried = here(from.map((value, j) => value + length * step[j]));
      if (tried.residual < at.residual * (1 - 0.05 * length)) better = tried;
      length *= 0.4;
    }
    if (!better) break;
    at = better;
  }
  return at;
}

/** The unknowns after one round at margins near 0. */
function gatheredBeginning(problem, gamma, kinks, rounded) {
  const {sources, child} = problem, x = new Array(3 * nodesOf(problem));
  const pulls = sources.map(({theta, c, r, b, meanFitted, wrong}) => {
    const load = theta * c;
    return [load * (1 - 2 * wrong) + b, 0, load * c + b * b * r + (meanFitted ? r * load * load : 0)];
  });
  seenOf(problem, gamma, pulls).seen.forEach(([mean, variance, leverage], k) => {
    const node = child[k] < 0 ? k : child[k], D = (1 + rounded) * leverage;
    x.splice(3 * k, 3, mean, Math.log(variance), Math.log(leverage));
    x.splice(3 * node, 3, (1 - kinks[node] * mean) / D, Math.log(variance / (D * D)), Math.log(leverage));
  });
  return x;
}

/** The fixed point followed from gammas[0] and widths[0] of the kink to gammas[1] and widths[1]. */
function gatheredPath(problem, kinks, gammas, widths, found) {
  const whole = Math.max(Math.abs(Math.log(gammas[0] / gammas[1])), Math.abs(Math.log(widths[0] / widths[1])));
  let here = found.x, before = here, step = GATHERED.first, last = 0, at = 0, reached = found;
  for (let k = 0; k < GATHERED.steps; k++) {
    if (at >= whole) return reached;
    const to = Math.min(whole, at + step), share = to / whole, ahead = last > 0 ? (to - at) / last : 0;
    const guess = here.map((value, i) => value + ahead * (value - before[i]));
    const next = gatheredNewton(problem, gammas[0] * (gammas[1] / gammas[0]) ** share, kinks, widths[0] * (widths[1] / widths[0]) ** share,
      guess, ON_PATH, 12);
    if (next.residual <= ON_PATH) {
      [before, here, last, at, reached] = [here, next.x, to - at, to, next];
      step *= 1.6;
    } else if ((step *= 0.4) < GATHERED.least) break;
  }
  return {...reached, residual: Infinity};
}

/** The fixed point of the hinge loss at gamma, from a heavy ridge and a wide kink: {z, pulls, residual}. */
function solveGathered(problem, heavy, gamma) {
  const {sources, h} = problem, nodes = nodesOf(problem);
  const largest = h * Math.max(...sources.map(({c, r, b}) => Math.max(c, b * r)));
  const begin = Math.max(heavy, 10 * largest), wide = begin / largest; // no sample moves its own margin far; the kink is wider than 1
  let found;
  for (let signs = 0; signs < 2 ** Math.min(nodes, GATHERED.signs); signs++) {
    const kinks = Array.from({length: nodes}, (_, j) => signs >> j & 1 ? -1 : 1);
    found = gatheredNewton(problem, begin, kinks, wide, gatheredBeginning(problem, begin, kinks, wide), ON_PATH, 40);
    if (found.residual <= ON_PATH) found = gatheredPath(problem, kinks, [begin, gamma], [wide, wide * gamma / begin], found);
    if (found.residual <= ON_PATH) found = gatheredPath(problem, kinks, [gamma, gamma], [wide * gamma / begin, ROUNDED], found);
    if (found.residual <= ON_PATH) found = gatheredNewton(problem, gamma, kinks, ROUNDED, found.x, GATHERED.enough, 40);
    if (found.residual <= SOLVED) break;
  }
  return found;
}
