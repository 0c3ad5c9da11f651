// The losses and their proximal steps.
//
// Generated from derivations/losses/proximal.py by `python cli.py derive`. Do not edit: change the derivation and run the command.

const losses = {
  NAMES: ["hinge", "huber", "square", "squared-hinge", "logistic", "probit"],
  CLOSED: 4,

  /** A loss at the margin u, its slope (from the right at a kink) and its curvature. Returns value, slope, curvature. */
  margin_loss(kind, u, threshold) {
    if (kind === 0) {
      if (u < 1) {
        return [1 - u, -1, 0];
      }
      return [0, 0, 0];
    }
    if (kind === 1) {
      if (u < 1 - threshold) {
        return [-1/2*Math.pow(threshold, 2) + threshold*(1 - u), -threshold, 0];
      }
      if (u < threshold + 1) {
        const w0 = u - 1;
        return [(1/2)*Math.pow(w0, 2), w0, 1];
      }
      return [-1/2*Math.pow(threshold, 2) + threshold*(u - 1), threshold, 0];
    }
    if (kind === 2) {
      const w0 = u - 1;
      return [(1/2)*Math.pow(w0, 2), w0, 1];
    }
    if (kind === 3) {
      if (u < 1) {
        const w0 = u - 1;
        return [(1/2)*Math.pow(w0, 2), w0, 1];
      }
      return [0, 0, 0];
    }
    if (kind === 4) {
      if (u < 0) {
        const w0 = Math.exp(u);
        const w1 = w0 + 1;
        return [-u + Math.log1p(w0), -1/w1, w0/Math.pow(w1, 2)];
      }
      const w0 = Math.exp(-u);
      const w1 = w0 + 1;
      return [Math.log1p(w0), -w0/w1, w0/Math.pow(w1, 2)];
    }
    if (kind === 5) {
      if (u < -10) {
        const w0 = Math.pow(u, 2);
        const w1 = 1/w0;
        const w2 = 35 - 1295*w1;
        const w3 = -33*w1*w2 + 33;
        const w4 = 31*w1;
        const w5 = -w3*w4 + 31;
        const w6 = 29*w1;
        const w7 = -w5*w6 + 29;
        const w8 = 27*w1;
        const w9 = -w7*w8 + 27;
        const w10 = 25*w1;
        const w11 = -w10*w9 + 25;
        const w12 = 23*w1;
        const w13 = -w11*w12 + 23;
        const w14 = 21*w1;
        const w15 = -w13*w14 + 21;
        const w16 = 19*w1;
        const w17 = -w15*w16 + 19;
        const w18 = 17*w1;
        const w19 = -w17*w18 + 17;
        const w20 = 15*w1;
        const w21 = -w19*w20 + 15;
        const w22 = 13*w1;
        const w23 = -w21*w22 + 13;
        const w24 = 11*w1;
        const w25 = -w23*w24 + 11;
        const w26 = 9*w1;
        const w27 = -w25*w26 + 9;
        const w28 = 7*w1;
        const w29 = -w27*w28 + 7;
        const w30 = 5*w1;
        const w31 = -w29*w30 + 5;
        const w32 = 3*w1;
        const w33 = -w31*w32 + 3;
        const w34 = -w1*w33 + 1;
        const w35 = -w1*w34 + 1;
        const w36 = 1/w35;
        const w37 = Math.pow(u, -3);
        const w38 = 66*w2*w37 - 85470/Math.pow(u, 5);
        const w39 = 62*w3*w37 - w38*w4;
        const w40 = 58*w37*w5 - w39*w6;
        const w41 = 54*w37*w7 - w40*w8;
        const w42 = -w10*w41 + 50*w37*w9;
        const w43 = 46*w11*w37 - w12*w42;
        const w44 = 42*w13*w37 - w14*w43;
        const w45 = 38*w15*w37 - w16*w44;
        const w46 = 34*w17*w37 - w18*w45;
        const w47 = 30*w19*w37 - w20*w46;
        const w48 = 26*w21*w37 - w22*w47;
        const w49 = 22*w23*w37 - w24*w48;
        const w50 = 18*w25*w37 - w26*w49;
        const w51 = 14*w27*w37 - w28*w50;
        const w52 = 10*w29*w37 - w30*w51;
        const w53 = 6*w31*w37 - w32*w52;
        const w54 = -w1*w53 + 2*w33*w37;
        const w55 = w1*w54 - 2*w34*w37;
        const w56 = -w55;
        const w57 = Math.pow(u, -4);
        const w58 = 6*w57;
        return [(1/2)*w0 + Math.log(-u) - Math.log(w35) + (1/2)*Math.log(2*Math.PI), u - w36*w56 + 1/u, -w1 - w36*(-w1*(-w1*(-18*w31*w57 - w32*(-30*w29*w57 - w30*(-42*w27*w57 - w28*(-54*w25*w57 - w26*(-66*w23*w57 - w24*(-78*w21*w57 - w22*(-90*w19*w57 - w20*(-102*w17*w57 - w18*(-114*w15*w57 - w16*(-126*w13*w57 - w14*(-138*w11*w57 - w12*(-w10*(108*w37*w40 - 162*w57*w7 - w8*(116*w37*w39 - 174*w5*w57 - w6*(-186*w3*w57 + 124*w37*w38 - w4*(-198*w2*w57 + 598290/Math.pow(u, 6))))) + 100*w37*w41 - 150*w57*w9) + 92*w37*w42) + 84*w37*w43) + 76*w37*w44) + 68*w37*w45) + 60*w37*w46) + 52*w37*w47) + 44*w37*w48) + 36*w37*w49) + 28*w37*w50) + 20*w37*w51) + 12*w37*w52) - w33*w58 + 4*w37*w53) - w34*w58 + 4*w37*w54) + 1 - w55*w56/Math.pow(w35, 2)];
      }
      if (u < 0) {
        const w0 = (0.5*erfc(-Math.sqrt(0.5)*(u)));
        const w1 = Math.pow(u, 2);
        const w2 = (1/2)*Math.sqrt(2)*Math.exp(-1/2*w1)/(Math.sqrt(Math.PI)*w0);
        return [-Math.log(w0), -w2, u*w2 + (1/2)*Math.exp(-w1)/(Math.PI*Math.pow(w0, 2))];
      }
      const w0 = (0.5*erfc(-Math.sqrt(0.5)*(-u)));
      const w1 = Math.pow(u, 2);
      const w2 = 1 - w0;
      const w3 = (1/2)*Math.sqrt(2)*Math.exp(-1/2*w1)/(Math.sqrt(Math.PI)*w2);
      return [-Math.log1p(-w0), -w3, u*w3 + (1/2)*Math.exp(-w1)/(Math.PI*Math.pow(w2, 2))];
    }
    throw new RangeError("margin_loss: there is no such kind");
  },

  /** Slope and curvature of a loss at the margin u. Returns slope, curvature. */
  margin_slopes(kind, u, threshold) {
    if (kind === 0) {
      if (u < 1) {
        return [-1, 0];
      }
      return [0, 0];
    }
    if (kind === 1) {
      if (u < 1 - threshold) {
        return [-threshold, 0];
      }
      if (u < threshold + 1) {
        return [u - 1, 1];
      }
      return [threshold, 0];
    }
    if (kind === 2) {
      return [u - 1, 1];
    }
    if (kind === 3) {
      if (u < 1) {
        return [u - 1, 1];
      }
      return [0, 0];
    }
    if (kind === 4) {
      if (u < 0) {
        const w0 = Math.exp(u);
        const w1 = w0 + 1;
        return [-1/w1, w0/Math.pow(w1, 2)];
      }
      const w0 = Math.exp(-u);
      const w1 = w0 + 1;
      return [-w0/w1, w0/Math.pow(w1, 2)];
    }
    if (kind === 5) {
      if (u < -10) {
        const w0 = Math.pow(u, -2);
        const w1 = 35 - 1295*w0;
        const w2 = -33*w0*w1 + 33;
        const w3 = 31*w0;
        const w4 = -w2*w3 + 31;
        const w5 = 29*w0;
        const w6 = -w4*w5 + 29;
        const w7 = 27*w0;
        const w8 = -w6*w7 + 27;
        const w9 = 25*w0;
        const w10 = -w8*w9 + 25;
        const w11 = 23*w0;
        const w12 = -w10*w11 + 23;
        const w13 = 21*w0;
        const w14 = -w12*w13 + 21;
        const w15 = 19*w0;
        const w16 = -w14*w15 + 19;
        const w17 = 17*w0;
        const w18 = -w16*w17 + 17;
        const w19 = 15*w0;
        const w20 = -w18*w19 + 15;
        const w21 = 13*w0;
        const w22 = -w20*w21 + 13;
        const w23 = 11*w0;
        const w24 = -w22*w23 + 11;
        const w25 = 9*w0;
        const w26 = -w24*w25 + 9;
        const w27 = 7*w0;
        const w28 = -w26*w27 + 7;
        const w29 = 5*w0;
        const w30 = -w28*w29 + 5;
        const w31 = 3*w0;
        const w32 = -w30*w31 + 3;
        const w33 = -w0*w32 + 1;
        const w34 = -w0*w33 + 1;
        const w35 = 1/w34;
        const w36 = Math.pow(u, -3);
        const w37 = 66*w1*w36 - 85470/Math.pow(u, 5);
        const w38 = 62*w2*w36 - w3*w37;
        const w39 = 58*w36*w4 - w38*w5;
        const w40 = 54*w36*w6 - w39*w7;
        const w41 = 50*w36*w8 - w40*w9;
        const w42 = 46*w10*w36 - w11*w41;
        const w43 = 42*w12*w36 - w13*w42;
        const w44 = 38*w14*w36 - w15*w43;
        const w45 = 34*w16*w36 - w17*w44;
        const w46 = 30*w18*w36 - w19*w45;
        const w47 = 26*w20*w36 - w21*w46;
        const w48 = 22*w22*w36 - w23*w47;
        const w49 = 18*w24*w36 - w25*w48;
        const w50 = 14*w26*w36 - w27*w49;
        const w51 = 10*w28*w36 - w29*w50;
        const w52 = 6*w30*w36 - w31*w51;
        const w53 = -w0*w52 + 2*w32*w36;
        const w54 = w0*w53 - 2*w33*w36;
        const w55 = -w54;
        const w56 = Math.pow(u, -4);
        const w57 = 6*w56;
        return [u - w35*w55 + 1/u, -w0 - w35*(-w0*(-w0*(-18*w30*w56 - w31*(-30*w28*w56 - w29*(-42*w26*w56 - w27*(-54*w24*w56 - w25*(-66*w22*w56 - w23*(-78*w20*w56 - w21*(-90*w18*w56 - w19*(-102*w16*w56 - w17*(-114*w14*w56 - w15*(-126*w12*w56 - w13*(-138*w10*w56 - w11*(100*w36*w40 - 150*w56*w8 - w9*(108*w36*w39 - 162*w56*w6 - w7*(116*w36*w38 - 174*w4*w56 - w5*(-186*w2*w56 - w3*(-198*w1*w56 + 598290/Math.pow(u, 6)) + 124*w36*w37)))) + 92*w36*w41) + 84*w36*w42) + 76*w36*w43) + 68*w36*w44) + 60*w36*w45) + 52*w36*w46) + 44*w36*w47) + 36*w36*w48) + 28*w36*w49) + 20*w36*w50) + 12*w36*w51) - w32*w57 + 4*w36*w52) - w33*w57 + 4*w36*w53) + 1 - w54*w55/Math.pow(w34, 2)];
      }
      if (u < 0) {
        const w0 = (0.5*erfc(-Math.sqrt(0.5)*(u)));
        const w1 = Math.pow(u, 2);
        const w2 = (1/2)*Math.sqrt(2)*Math.exp(-1/2*w1)/(Math.sqrt(Math.PI)*w0);
        return [-w2, u*w2 + (1/2)*Math.exp(-w1)/(Math.PI*Math.pow(w0, 2))];
      }
      const w0 = Math.pow(u, 2);
      const w1 = 1 - (0.5*erfc(-Math.sqrt(0.5)*(-u)));
      const w2 = (1/2)*Math.sqrt(2)*Math.exp(-1/2*w0)/(Math.sqrt(Math.PI)*w1);
      return [-w2, u*w2 + (1/2)*Math.exp(-w0)/(Math.PI*Math.pow(w1, 2))];
    }
    throw new RangeError("margin_slopes: there is no such kind");
  },

  /** Where the force of a left-out margin bends, then its intercept and slope on every interval. Returns end_0, end_1, intercept_0, slope_0, intercept_1, slope_1, intercept_2, slope_2. */
  linear_force(kind, c, delta, threshold) {
    if (kind === 0) {
      const w0 = 1/delta;
      return [-c*delta + 1, 1, c, 0, w0, -w0, 0, 0];
    }
    if (kind === 1) {
      const w0 = c*threshold;
      const w1 = delta*w0 + threshold;
      const w2 = c/(c*delta + 1);
      return [1 - w1, w1 + 1, w0, 0, w2, -w2, -w0, 0];
    }
    if (kind === 2) {
      const w0 = c/(c*delta + 1);
      return [Infinity, Infinity, w0, -w0, 0, 0, 0, 0];
    }
    if (kind === 3) {
      const w0 = c/(c*delta + 1);
      return [1, Infinity, w0, -w0, 0, 0, 0, 0];
    }
    throw new RangeError("linear_force: there is no such kind");
  },

  /** Intercept and slope of the proximal step u on the same intervals. Returns intercept_0, slope_0, intercept_1, slope_1, intercept_2, slope_2. */
  linear_step(kind, c, delta, threshold) {
    if (kind === 0) {
      return [c*delta, 1, 1, 0, 0, 1];
    }
    if (kind === 1) {
      const w0 = c*delta;
      const w1 = threshold*w0;
      const w2 = 1/(w0 + 1);
      return [w1, 1, w0*w2, w2, -w1, 1];
    }
    if (kind === 2) {
      const w0 = c*delta;
      const w1 = 1/(w0 + 1);
      return [w0*w1, w1, 0, 0, 0, 0];
    }
    if (kind === 3) {
      const w0 = c*delta;
      const w1 = 1/(w0 + 1);
      return [w0*w1, w1, 0, 1, 0, 0];
    }
    throw new RangeError("linear_step: there is no such kind");
  },
};
