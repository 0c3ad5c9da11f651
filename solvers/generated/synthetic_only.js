// Synthetic data alone.
//
// Generated from derivations/special/synthetic_only.py by `python cli.py derive`. Do not edit: change the derivation and run the command.

const synthetic_only = {
  /** delta of the synthetic-only classifier. Returns delta. */
  fixed_point(alpha, eta, gamma) {
    const w0 = alpha - eta + gamma;
    const w1 = Math.sqrt(4*eta*gamma + Math.pow(w0, 2));
    return ((w0 > 0) ? ( 2*eta/(w0 + w1) ) : ( (1/2)*(-w0 + w1)/gamma ));
  },

  /** Its mean margin. Returns mean_margin. */
  mean_margin(alpha, lam, gamma, mu, delta) {
    const w0 = Math.pow(mu, 2);
    return lam*w0/(alpha*w0 + alpha + delta*gamma + gamma);
  },

  /** The variance of its margin. Returns variance. */
  variance(alpha, lam, eta, gamma, mu, delta) {
    const w0 = alpha*eta;
    const w1 = Math.pow(gamma, 2);
    const w2 = 2*gamma;
    const w3 = delta*gamma;
    const w4 = 2*w3;
    const w5 = Math.pow(alpha, 2) + alpha*w2 + alpha*w4 + Math.pow(delta, 2)*w1 + 2*delta*w1 + w1;
    const w6 = 1/(-w0 + w5);
    const w7 = Math.pow(mu, 2);
    return Math.pow(lam, 2)*w6*w7*(-eta*w2 - eta*w4 - w0*w7 - 2*w0 + w5)/Math.pow(alpha*w7 + alpha + gamma + w3, 2) + w0*w6;
  },

  /** epsilon*, the label noise at which lambda = 0. Returns epsilon. */
  critical_noise(rho, phi) {
    return phi/(phi + rho);
  },

  /** d accuracy / d epsilon at epsilon*, with alpha and delta taken there. Returns slope. */
  slope_at_critical_noise(rho, phi, alpha, eta, gamma, mu, delta) {
    const w0 = Math.pow(mu, 2);
    const w1 = delta*gamma;
    const w2 = Math.pow(gamma, 2);
    const w3 = 2*alpha;
    return (1/2)*Math.sqrt(2)*w0*(-phi - rho)/(Math.sqrt(Math.PI)*Math.sqrt(alpha)*Math.sqrt(eta)*(alpha*w0 + alpha + gamma + w1)*Math.sqrt(1/(Math.pow(alpha, 2) - alpha*eta + Math.pow(delta, 2)*w2 + 2*delta*w2 + gamma*w3 + w1*w3 + w2)));
  },
};
