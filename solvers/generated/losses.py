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
            return -u + math.log1p(w0), -1/w1, w0/(w1*w1)
        w0 = math.exp(-u)
        w1 = w0 + 1
        return math.log1p(w0), -w0/w1, w0/(w1*w1)
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
def margin_slopes(kind, u, threshold):
    """Slope and curvature of a loss at the margin u.

    Returns slope, curvature.
    """
    if kind == 0:
        if (u < 1):
            return -1.0, 0.0
        return 0.0, 0.0
    if kind == 1:
        if (u < 1 - threshold):
            return -threshold, 0.0
        if (u < threshold + 1):
            return u - 1, 1.0
        return threshold, 0.0
    if kind == 2:
        return u - 1, 1.0
    if kind == 3:
        if (u < 1):
            return u - 1, 1.0
        return 0.0, 0.0
    if kind == 4:
        if (u < 0):
            w0 = math.exp(u)
            w1 = w0 + 1
            return -1/w1, w0/(w1*w1)
        w0 = math.exp(-u)
        w1 = w0 + 1
        return -w0/w1, w0/(w1*w1)
    if kind == 5:
        if (u < -10):
            w0 = (1.0/(u*u))
            w1 = 35 - 1295*w0
            w2 = -33*w0*w1 + 33
            w3 = 31*w0
            w4 = -w2*w3 + 31
            w5 = 29*w0
            w6 = -w4*w5 + 29
            w7 = 27*w0
            w8 = -w6*w7 + 27
            w9 = 25*w0
            w10 = -w8*w9 + 25
            w11 = 23*w0
            w12 = -w10*w11 + 23
            w13 = 21*w0
            w14 = -w12*w13 + 21
            w15 = 19*w0
            w16 = -w14*w15 + 19
            w17 = 17*w0
            w18 = -w16*w17 + 17
            w19 = 15*w0
            w20 = -w18*w19 + 15
            w21 = 13*w0
            w22 = -w20*w21 + 13
            w23 = 11*w0
            w24 = -w22*w23 + 11
            w25 = 9*w0
            w26 = -w24*w25 + 9
            w27 = 7*w0
            w28 = -w26*w27 + 7
            w29 = 5*w0
            w30 = -w28*w29 + 5
            w31 = 3*w0
            w32 = -w30*w31 + 3
            w33 = -w0*w32 + 1
            w34 = -w0*w33 + 1
            w35 = 1/w34
            w36 = (1.0/(u*u*u))
            w37 = 66*w1*w36 - 85470/u**5
            w38 = 62*w2*w36 - w3*w37
            w39 = 58*w36*w4 - w38*w5
            w40 = 54*w36*w6 - w39*w7
            w41 = 50*w36*w8 - w40*w9
            w42 = 46*w10*w36 - w11*w41
            w43 = 42*w12*w36 - w13*w42
            w44 = 38*w14*w36 - w15*w43
            w45 = 34*w16*w36 - w17*w44
            w46 = 30*w18*w36 - w19*w45
            w47 = 26*w20*w36 - w21*w46
            w48 = 22*w22*w36 - w23*w47
            w49 = 18*w24*w36 - w25*w48
            w50 = 14*w26*w36 - w27*w49
            w51 = 10*w28*w36 - w29*w50
            w52 = 6*w30*w36 - w31*w51
            w53 = -w0*w52 + 2*w32*w36
            w54 = w0*w53 - 2*w33*w36
            w55 = -w54
            w56 = (1.0/(u*u*u*u))
            w57 = 6*w56
            return u - w35*w55 + 1/u, -w0 - w35*(-w0*(-w0*(-18*w30*w56 - w31*(-30*w28*w56 - w29*(-42*w26*w56 - w27*(-54*w24*w56 - w25*(-66*w22*w56 - w23*(-78*w20*w56 - w21*(-90*w18*w56 - w19*(-102*w16*w56 - w17*(-114*w14*w56 - w15*(-126*w12*w56 - w13*(-138*w10*w56 - w11*(100*w36*w40 - 150*w56*w8 - w9*(108*w36*w39 - 162*w56*w6 - w7*(116*w36*w38 - 174*w4*w56 - w5*(-186*w2*w56 - w3*(-198*w1*w56 + 598290/u**6) + 124*w36*w37)))) + 92*w36*w41) + 84*w36*w42) + 76*w36*w43) + 68*w36*w44) + 60*w36*w45) + 52*w36*w46) + 44*w36*w47) + 36*w36*w48) + 28*w36*w49) + 20*w36*w50) + 12*w36*w51) - w32*w57 + 4*w36*w52) - w33*w57 + 4*w36*w53) + 1 - w54*w55/(w34*w34)
        if (u < 0):
            w0 = (0.5*math.erfc(-math.sqrt(0.5)*(u)))
            w1 = (u*u)
            w2 = (1/2)*math.sqrt(2)*math.exp(-1/2*w1)/(math.sqrt(math.pi)*w0)
            return -w2, u*w2 + (1/2)*math.exp(-w1)/(math.pi*(w0*w0))
        w0 = (u*u)
        w1 = 1 - (0.5*math.erfc(-math.sqrt(0.5)*(-u)))
        w2 = (1/2)*math.sqrt(2)*math.exp(-1/2*w0)/(math.sqrt(math.pi)*w1)
        return -w2, u*w2 + (1/2)*math.exp(-w0)/(math.pi*(w1*w1))
    raise ValueError("margin_slopes: there is no such kind")


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
