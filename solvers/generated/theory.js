// Two derivatives.
//
// Generated from derivations/derivatives.py by `python cli.py derive`. Do not edit: change the derivation and run the command.

const theory = {
  /** delta, the trace a left-out sample sees: the positive root of the equation of the fit. Returns delta. */
  leave_one_out(theta, c, r, b, q) {
    const w0 = c*q;
    const w1 = b*r;
    const w2 = w0*w1;
    const w3 = q*w1 + r*theta*w0 - w0;
    const w4 = w3 + 1;
    const w5 = Math.sqrt(q*(4*c + 4*w2) + Math.pow(w4, 2));
    return ((w3 > -1) ? ( 2*q/(w4 + w5) ) : ( (-w4 + w5)/(2*c + 2*w2) ));
  },

  /** d delta / dq. Returns d_delta. */
  leave_one_out_slope(theta, c, r, b, q, delta) {
    const w0 = c*delta;
    const w1 = w0 + 1;
    const w2 = q*r;
    const w3 = w2*(b + c*theta/w1) + 1;
    return w1/(Math.pow(w3, 2)*(w0*(b*w2 + 1)/w3 + 1));
  },

  /** kappa and d kappa / dq. Returns kappa, d_kappa. */
  second_moment_weight(theta, c, b, delta, d_delta) {
    const w0 = c*delta + 1;
    return [b + c*theta/w0, -Math.pow(c, 2)*d_delta*theta/Math.pow(w0, 2)];
  },

  /** s, the weight of the source's covariance in the resolvent, and ds/dq. Returns s, d_s. */
  covariance_weight(r, q, kappa, d_kappa) {
    const w0 = kappa*q*r + 1;
    return [kappa/w0, (d_kappa - Math.pow(kappa, 2)*r)/Math.pow(w0, 2)];
  },

  /** b / kappa and its slope in q. Returns base_share, d_base_share. */
  fitted_share(theta, c, b, delta, d_delta) {
    const w0 = b == 0;
    const w1 = c*delta + 1;
    const w2 = b*w1;
    const w3 = c*theta + w2;
    const w4 = 1/w3;
    return [((w0) ? ( 0 ) : ( w2*w4 )), ((w0) ? ( 0 ) : ( d_delta*(-Math.pow(b, 2)*c*w1/Math.pow(w3, 2) + b*c*w4) ))];
  },

  /** The mean label, what varying labels leave of the training loss, and their slopes in q. Returns signal, d_signal, d_floor. */
  signal(theta, c, r, b, q, delta, d_delta, label, spread, base_label, base_spread, base_share, d_base_share) {
    const w0 = base_label - label;
    const w1 = Math.pow(w0, 2);
    const w2 = c*delta;
    const w3 = w2 + 1;
    const w4 = Math.pow(c, 2);
    const w5 = d_delta*theta*w4;
    const w6 = q*r;
    const w7 = b*w6;
    return [base_share*w0 + label, d_base_share*w0, -Math.pow(b, 2)*base_spread*r*(Math.pow(delta, 2)*w4 + Math.pow(q, 2)*r*w5 + 2*w2 + 1)/Math.pow(c*theta*w6 + w2*w7 + w3 + w7, 2) + c*d_base_share*theta*w1/w3 - w5*(base_share*w1 + spread)/Math.pow(w3, 2)];
  },

  /** One eigenvalue's part of q_k = (1/N) tr(C_k B). Returns trace. */
  trace_term(h, C_k, x) {
    return C_k*h/x;
  },

  /** One eigenvalue's part of -dq_k/ds_l = (1/N) tr(C_k B C_l B). Returns pair. */
  pair_term(h, C_k, C_l, x) {
    return C_k*C_l*h/Math.pow(x, 2);
  },

  /** One eigenvalue's part of mean_a^T B mean_b, u = mean_a mean_b there. Returns product. */
  product_term(u, x) {
    return u/x;
  },

  /** One eigenvalue's part of mean_a^T B C_l B mean_b. Returns slope. */
  product_slope_term(u, C_l, x) {
    return C_l*u/Math.pow(x, 2);
  },

  /** q (gamma + sum_k a_k s_k) - eta, increasing and concave in q, and its slope; load = sum_k a_k s_k, load_slope its derivative in q. Returns residual, slope. */
  isotropic_residual(gamma, eta, q, load, load_slope) {
    const w0 = gamma + load;
    return [-eta + q*w0, load_slope*q + w0];
  },

  /** One source's part of dL/dt, but for that of the products of the means. Returns term. */
  loss_slope_term(residual, T, d_T, d_signal, d_floor, speed) {
    return speed*(2*T*d_signal*residual + d_T*Math.pow(residual, 2) + d_floor);
  },

  /** Phi(m_w / s_w), the accuracy of sign(w^T x). Returns accuracy. */
  accuracy(mean_margin, variance) {
    return 1 - 1/2*erfc((1/2)*Math.sqrt(2)*mean_margin/Math.sqrt(variance));
  },

  /** E[(y - w^T x)^2]. Returns risk. */
  risk(mean_margin, variance) {
    return variance + Math.pow(1 - mean_margin, 2);
  },
};
