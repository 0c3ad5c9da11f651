// The published formula, and where it departs.
//
// Generated from derivations/published.py by `python cli.py derive`. Do not edit: change the derivation and run the command.

const published = {
  /** The published delta: alpha times the trace that a kept sample sees. Returns delta. */
  leave_one_out(theta, c, r, q, alpha) {
    const w0 = c*q;
    const w1 = alpha*w0;
    const w2 = r*theta*w0;
    const w3 = -w1 + w2 + 1;
    const w4 = Math.sqrt(4*w1 + Math.pow(w3, 2));
    const w5 = w1 - w2;
    return ((w5 < 1) ? ( 2*alpha*q/(w3 + w4) ) : ( (1/2)*(w4 + w5 - 1)/c ));
  },

  /** The slope of the trace without the alpha, at the published delta. Returns d_delta. */
  leave_one_out_slope(theta, c, r, q, delta) {
    const w0 = c*delta;
    const w1 = w0 + 1;
    const w2 = r*theta;
    const w3 = Math.pow(c*q*w2/w1 + 1, -2);
    const w4 = Math.pow(c, 2);
    return Math.pow(w1, 2)*w3/(Math.pow(delta, 2)*w4 - Math.pow(q, 2)*w2*w3*w4 + 2*w0 + 1);
  },

  /** The derivative of the published delta in q, for Newton on the published fixed point. Returns d_delta. */
  fixed_point_slope(theta, c, r, q, delta, alpha) {
    const w0 = c*delta + 1;
    const w1 = c*q*r*theta;
    return alpha/((1 + w1/Math.pow(w0, 2))*(1 + w1/w0));
  },
};
