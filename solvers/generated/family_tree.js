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

  /** The force of a law of real samples, and the slopes of the training loss in its root and target. Returns force, loss_root, loss_target. */
  law_response(root, gap) {
    const w0 = gap*root;
    return [w0, Math.pow(gap, 2), 2*w0];
  },

  /** The slope of the training loss in mu_a^T B mu_b, from the forces of both laws. Returns loss_product. */
  pair_response(force, other) {
    return -force*other;
  },
};
