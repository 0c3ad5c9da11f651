"""The losses and their proximal steps.

Generated from derivations/losses/proximal.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit

NAMES = ('hinge', 'huber', 'square', 'squared-hinge', 'logistic', 'probit')
CLOSED = 4


@njit(cache=True, error_model="numpy")
def margin_loss(kind, u, threshold):
    """A loss at the margin u, its slope (from the right at a kink) and its curvature.

    Returns value, slope, curvature.
    """
    if kind == 0:
        if (u < 1):
            return 1 - u, -1.0, 0.0
        return 0.0, 0.0, 0.0
    if kind == 1:
        if (u < 1 - threshold):
            return -1/2*(threshold*threshold) + threshold*(1 - u), -threshold, 0.0
        if (u < threshold + 1):
            w0 = u - 1
            return (1/2)*(w0*w0), w0, 1.0
        return -1/2*(threshold*threshold) + threshold*(u - 1), threshold, 0.0
    if kind == 2:
        w0 = u - 1
        return (1/2)*(w0*w0), w0, 1.0
    if kind == 3:
        if (u < 1):
            w0 = u - 1
            return (1/2)*(w0*w0), w0, 1.0
        return 0.0, 0.0, 0.0
    if kind == 4:
        if (u < 0):
            w0 = math.exp(u)
            w1 = w0 + 1
            w2 = 1/w1
            return -u + math.log1p(w0), w0*w2 - 1, w0*w2 - math.exp(2*u)/(w1*w1)
        w0 = math.exp(-u)
        w1 = w0 + 1
        w2 = w0/w1
        return math.log1p(w0), -w2, w2 - math.exp(-2*u)/(w1*w1)
    if kind == 5:
        if (u < -10):
            w0 = (u*u)
            w1 = 1/w0
            w2 = 35 - 1295*w1
            w3 = -33*w1*w2 + 33
            w4 = 31*w1
            w5 = -w3*w4 + 31
            w6 = 29*w1
            w7 = -w5*w6 + 29
            w8 = 27*w1
            w9 = -w7*w8 + 27
            w10 = 25*w1
            w11 = -w10*w9 + 25
            w12 = 23*w1
            w13 = -w11*w12 + 23
            w14 = 21*w1
            w15 = -w13*w14 + 21
            w16 = 19*w1
            w17 = -w15*w16 + 19
            w18 = 17*w1
            w19 = -w17*w18 + 17
            w20 = 15*w1
            w21 = -w19*w20 + 15
            w22 = 13*w1
            w23 = -w21*w22 + 13
            w24 = 11*w1
            w25 = -w23*w24 + 11
            w26 = 9*w1
            w27 = -w25*w26 + 9
            w28 = 7*w1
            w29 = -w27*w28 + 7
            w30 = 5*w1
            w31 = -w29*w30 + 5
            w32 = 3*w1
            w33 = -w31*w32 + 3
            w34 = -w1*w33 + 1
            w35 = -w1*w34 + 1
            w36 = 1/w35
            w37 = (1.0/(u*u*u))
            w38 = 66*w2*w37 - 85470/u**5
            w39 = 62*w3*w37 - w38*w4
            w40 = 58*w37*w5 - w39*w6
            w41 = 54*w37*w7 - w40*w8
            w42 = -w10*w41 + 50*w37*w9
            w43 = 46*w11*w37 - w12*w42
            w44 = 42*w13*w37 - w14*w43
            w45 = 38*w15*w37 - w16*w44
            w46 = 34*w17*w37 - w18*w45
            w47 = 30*w19*w37 - w20*w46
            w48 = 26*w21*w37 - w22*w47
            w49 = 22*w23*w37 - w24*w48
            w50 = 18*w25*w37 - w26*w49
            w51 = 14*w27*w37 - w28*w50
            w52 = 10*w29*w37 - w30*w51
            w53 = 6*w31*w37 - w32*w52
            w54 = -w1*w53 + 2*w33*w37
            w55 = w1*w54 - 2*w34*w37
            w56 = -w55
            w57 = (1.0/(u*u*u*u))
            w58 = 6*w57
            return (1/2)*w0 + math.log(-u) - math.log(w35) + (1/2)*math.log(2*math.pi), u - w36*w56 + 1/u, -w1 - w36*(-w1*(-w1*(-18*w31*w57 - w32*(-30*w29*w57 - w30*(-42*w27*w57 - w28*(-54*w25*w57 - w26*(-66*w23*w57 - w24*(-78*w21*w57 - w22*(-90*w19*w57 - w20*(-102*w17*w57 - w18*(-114*w15*w57 - w16*(-126*w13*w57 - w14*(-138*w11*w57 - w12*(-w10*(108*w37*w40 - 162*w57*w7 - w8*(116*w37*w39 - 174*w5*w57 - w6*(-186*w3*w57 + 124*w37*w38 - w4*(-198*w2*w57 + 598290/u**6)))) + 100*w37*w41 - 150*w57*w9) + 92*w37*w42) + 84*w37*w43) + 76*w37*w44) + 68*w37*w45) + 60*w37*w46) + 52*w37*w47) + 44*w37*w48) + 36*w37*w49) + 28*w37*w50) + 20*w37*w51) + 12*w37*w52) - w33*w58 + 4*w37*w53) - w34*w58 + 4*w37*w54) + 1 - w55*w56/(w35*w35)
        if (u < 0):
            w0 = (0.5*math.erfc(-math.sqrt(0.5)*(u)))
            w1 = (u*u)
            w2 = (1/2)*math.sqrt(2)*math.exp(-1/2*w1)/(math.sqrt(math.pi)*w0)
            return -math.log(w0), -w2, u*w2 + (1/2)*math.exp(-w1)/(math.pi*(w0*w0))
        w0 = (0.5*math.erfc(-math.sqrt(0.5)*(-u)))
        w1 = (u*u)
        w2 = 1 - w0
        w3 = (1/2)*math.sqrt(2)*math.exp(-1/2*w1)/(math.sqrt(math.pi)*w2)
        return -math.log1p(-w0), -w3, u*w3 + (1/2)*math.exp(-w1)/(math.pi*(w2*w2))
    raise ValueError("margin_loss: there is no such kind")


@njit(cache=True, error_model="numpy")
def linear_force(kind, c, delta, threshold):
    """Where the force of a left-out margin bends, then its intercept and slope on every interval.

    Returns end_0, end_1, intercept_0, slope_0, intercept_1, slope_1, intercept_2, slope_2.
    """
    if kind == 0:
        w0 = 1/delta
        return -c*delta + 1, 1.0, c, 0.0, w0, -w0, 0.0, 0.0
    if kind == 1:
        w0 = c*threshold
        w1 = delta*w0 + threshold
        w2 = c/(c*delta + 1)
        return 1 - w1, w1 + 1, w0, 0.0, w2, -w2, -w0, 0.0
    if kind == 2:
        w0 = c/(c*delta + 1)
        return math.inf, math.inf, w0, -w0, 0.0, 0.0, 0.0, 0.0
    if kind == 3:
        w0 = c/(c*delta + 1)
        return 1.0, math.inf, w0, -w0, 0.0, 0.0, 0.0, 0.0
    raise ValueError("linear_force: there is no such kind")


@njit(cache=True, error_model="numpy")
def linear_step(kind, c, delta, threshold):
    """Intercept and slope of the proximal step u on the same intervals.

    Returns intercept_0, slope_0, intercept_1, slope_1, intercept_2, slope_2.
    """
    if kind == 0:
        return c*delta, 1.0, 1.0, 0.0, 0.0, 1.0
    if kind == 1:
        w0 = c*delta
        w1 = threshold*w0
        w2 = 1/(w0 + 1)
        return w1, 1.0, w0*w2, w2, -w1, 1.0
    if kind == 2:
        w0 = c*delta
        w1 = 1/(w0 + 1)
        return w0*w1, w1, 0.0, 0.0, 0.0, 0.0
    if kind == 3:
        w0 = c*delta
        w1 = 1/(w0 + 1)
        return w0*w1, w1, 0.0, 1.0, 0.0, 0.0
    raise ValueError("linear_step: there is no such kind")
