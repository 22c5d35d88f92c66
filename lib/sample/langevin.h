/* What the chains of refine.c and cloud.c share: proposals x' = x + h / 2 slope(x) + sqrt(h) noise,
 * that is, q(x' | x) = N(x + h / 2 slope(x), h). */
#ifndef DD_LANGEVIN_H
#define DD_LANGEVIN_H

/* The acceptance rate that step sizes are adapted to (Roberts and Rosenthal, JRSS B 1998). */
static const double dd_wanted_acceptance = 0.574;

/* A step of size h, and the squared misses of its noise-free way there and back. */
typedef struct dd_langevin_step {
    double size, there, back;
} dd_langevin_step;

/* Adds a number of the row that moved by `move`, from where the slope is `slope` to where it is
 * `slope_there`. */
static inline void dd_langevin_add(dd_langevin_step *step, double move, double slope,
                                   double slope_there) {
    double miss = move - step->size / 2 * slope, miss_back = -move - step->size / 2 * slope_there;
    step->there += miss * miss;
    step->back += miss_back * miss_back;
}

/* Returns log q(x | x') - log q(x' | x). */
static inline double dd_langevin_log_way_back(const dd_langevin_step *step) {
    return (step->there - step->back) / (2 * step->size);
}

#endif
