// Generations: the line of generators of solvers/trees.py and the loops of solvers/tree_kernels.py, for covariances that are the identity.

/** The sample sets of a setting with generations, in order: {count (kept), weight, label, parents (places)}; N is beside them. */
function generationsOf(s, alpha) {
  const sets = [], share = s.scheme.startsWith("fresh:") ? Number(s.scheme.slice(6)) : 0, fresh = roundEven(share * s.n_hat);
  const add = (count, parents = [], weight = 0, label = 1) => sets.push({count, parents, weight, label}) - 1;
  if (s.n) add(s.n, [], 1);
  let parents = [add(s.n_hat)];
  for (let t = 2; t <= s.generations; t++) {
    const before = parents;
    if (s.scheme.startsWith("fresh:")) {
      parents = fresh ? [add(fresh)] : [];
      if (s.n_hat - fresh) parents.push(add(s.n_hat - fresh, before));
    } else {
      const drawn = add(s.n_hat, before);
      parents = s.scheme === "replace" ? [drawn] : [...before, drawn];
    }
  }
  const {wrong} = keptLabels(s);
  if (s.m && alpha) add(alpha * s.m, parents, s.omega, 1 - 2 * wrong);
  return {sets: needed(sets), N: s.n + s.m};
}

/** A half goes to the even neighbour, as in Python. */
function roundEven(x) {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + low % 2 : Math.round(x);
}

/** The sets that are trained on or have a descendant that is; parents are places among these. */
function needed(sets) {
  const wanted = sets.map(set => set.weight > 0);
  for (let i = sets.length - 1; i >= 0; i--) if (wanted[i]) for (const parent of sets[i].parents) wanted[parent] = true;
  const kept = sets.map((_, i) => i).filter(i => wanted[i]);
  return kept.map(i => ({...sets[i], parents: sets[i].parents.map(parent => kept.indexOf(parent))}));
}

/** Solve a family tree: Newton on the reduced weights, then the response. */
function solveTree({sets, N}, {gamma, p, mu}) {
  const K = sets.length, eta = p / N, theta = sets.map(set => set.count / N), real = sets.map(set => set.parents.length === 0);
  const shares = sets.map(set => sets.map((parent, k) => set.parents.includes(k)
    ? parent.count / set.parents.reduce((sum, i) => sum + sets[i].count, 0) : 0));
  const tau = new Array(K);
  for (let j = K - 1; j >= 0; j--) { // from above: left-out traces of 0
    let omega = sets[j].weight;
    for (let i = j + 1; i < K; i++) if (shares[i][j] > 0) omega += shares[i][j] * tau[i] / theta[j];
    tau[j] = theta[j] * omega;
  }
  let at, relative = Infinity, previous = Infinity;
  for (let step = 0; step < 500; step++) {
    at = treeAt(sets, theta, shares, real, tau, gamma, eta);
    const move = at.next.map((value, j) => value - tau[j]);
    relative = Math.max(...move.map((value, j) => Math.abs(value) / tau[j]));
    if (relative <= ENOUGH || (relative >= previous && relative <= 1e-14)) break;
    previous = relative;
    solveLinear(identityLess(at.slopes), move);
    const safe = tau.every((value, j) => value + move[j] > 0);
    for (let j = 0; j < K; j++) tau[j] = safe ? tau[j] + move[j] : at.next[j]; // the safeguard: the map itself
  }
  const d_tau = solveLinear(identityLess(at.slopes), at.moved.map(value => value * at.q_root));
  const d_root = d_tau.reduce((sum, value, j) => sum + (real[j] ? value : 0), 0), b = at.b * mu * mu;
  return {...treeResponse(sets, theta, shares, real, tau, d_tau, at.omega, b, -b * at.b * (1 + d_root)), residual: relative};
}

function identityLess(A) {
  return A.map((row, i) => row.map((value, j) => (i === j ? 1 : 0) - value));
}

/** omega and the new tau of every set at tau, their slopes, and those in q. */
function treeAt(sets, theta, shares, real, tau, gamma, eta) {
  const K = sets.length, zeros = () => sets.map(() => new Array(K).fill(0));
  const root = tau.reduce((sum, value, j) => sum + (real[j] ? value : 0), 0), b = 1 / (gamma + root), q = eta * b, q_root = -eta * b * b;
  const omega = sets.map(set => set.weight), delta = new Array(K).fill(0), q_delta = new Array(K).fill(0);
  const d_omega = zeros(), d_delta = zeros(), slopes = zeros(), next = new Array(K), moved = new Array(K);
  for (let j = 0; j < K; j++) {
    for (let i = 0; i < K; i++) {
      if (shares[i][j] > 0) {
        omega[j] += shares[i][j] * tau[i] / theta[j];
        d_omega[j][i] = shares[i][j] / theta[j];
      }
    }
  }
  for (let j = 0; j < K; j++) {
    if (real[j]) {
      delta[j] = q;
      q_delta[j] = 1;
      for (let i = 0; i < K; i++) if (real[i]) d_delta[j][i] = q_root;
    }
    for (const k of sets[j].parents) {
      const [trace, trace_omega, trace_delta] = family_tree.seen_trace(omega[k], delta[k]);
      delta[j] += shares[j][k] * trace;
      q_delta[j] += shares[j][k] * trace_delta * q_delta[k];
      for (let i = 0; i < K; i++) d_delta[j][i] += shares[j][k] * (trace_omega * d_omega[k][i] + trace_delta * d_delta[k][i]);
    }
    const [value, tau_omega, tau_delta] = family_tree.reduced_weight(theta[j], omega[j], delta[j]);
    next[j] = value;
    moved[j] = tau_delta * q_delta[j];
    for (let i = 0; i < K; i++) slopes[j][i] = tau_omega * d_omega[j][i] + tau_delta * d_delta[j][i];
  }
  return {next, slopes, moved, omega, b, q_root};
}

/** Mean margin, and the slope of the training loss along d_tau: targets are handed down, youngest set first. */
function treeResponse(sets, theta, shares, real, tau, d_tau, omega, product, d_product) {
  const K = sets.length, goal = new Array(K).fill(0), d_goal = new Array(K).fill(0);
  let loss = 0, root = 0, d_root = 0, mean = 0, d_mean = 0;
  for (let j = K - 1; j >= 0; j--) {
    const children = sets.map((_, i) => i).filter(i => shares[i][j] > 0).map(i => [i, shares[i][j] * tau[i] / theta[j],
      shares[i][j] * d_tau[i] / theta[j]]);
    let d_total = 0, target = sets[j].weight, d_target = 0;
    for (const [i, f, d_f] of children) {
      d_total += d_f;
      target += f * goal[i];
      d_target += d_f * goal[i] + f * d_goal[i];
    }
    target /= omega[j];
    d_target = (d_target - target * d_total) / omega[j];
    for (const [i, f, d_f] of children) {
      const apart = goal[i] - target;
      loss += theta[j] * (d_f * apart * apart + 2 * f * apart * d_goal[i]);
    }
    const {label} = sets[j];
    loss += (1 - label * label) * (d_tau[j] * target * target + 2 * tau[j] * target * d_target);
    goal[j] = label * target;
    d_goal[j] = label * d_target;
    if (real[j]) {
      root += tau[j];
      d_root += d_tau[j];
      mean += tau[j] * goal[j];
      d_mean += d_tau[j] * goal[j] + tau[j] * d_goal[j];
    }
  }
  mean /= root;
  d_mean = (d_mean - mean * d_root) / root;
  for (let j = 0; j < K; j++) {
    if (!real[j]) continue;
    const apart = goal[j] - mean;
    loss += d_tau[j] * apart * apart + 2 * tau[j] * apart * d_goal[j];
  }
  const [force, loss_root, loss_target] = family_tree.law_response(root, mean / (1 + product * root));
  const loss_product = family_tree.pair_response(force, force);
  return {mean_margin: product * force, variance: loss + loss_root * d_root + loss_target * d_mean + loss_product * d_product};
}
