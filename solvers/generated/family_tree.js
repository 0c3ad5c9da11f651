// Family trees of generators.
//
// Generated from derivations/special/family_tree.py by `python cli.py derive`. Do not edit: change the derivation and run the command.

const family_tree = {
  /** tau of a set, and its slopes in omega and delta. Returns tau, tau_omega, tau_delta. */
  reduced_weight(theta, omega, delta) {
    const w0 = delta*omega + 1;
    const w1 = theta/Math.pow(w0, 2);
    return [omega*theta/w0, w1, -Math.pow(omega, 2)*w1];
  },

  /** The trace of a fitted set's covariance, and its slopes in omega and delta. Returns trace, trace_omega, trace_delta. */
  seen_trace(omega, delta) {
    const w0 = delta*omega + 1;
    const w1 = Math.pow(w0, -2);
    return [delta/w0, -Math.pow(delta, 2)*w1, w1];
  },

  /** Mean margin, and the slopes of the training loss in root, target and mu^T B mu. Returns mean_margin, loss_root, loss_target, loss_product. */
  root_response(root, target, product) {
    const w0 = product*root;
    const w1 = w0 + 1;
    const w2 = target/w1;
    const w3 = Math.pow(target, 2)/Math.pow(w1, 2);
    return [w0*w2, w3, 2*root*w2, -Math.pow(root, 2)*w3];
  },
};
