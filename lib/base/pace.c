#include "base/pace.h"

/* In nanoseconds. The balance is at least -CREDIT, and beyond DEBT the takers are halved. A thread
 * that is woken is taken to cost others WAKING, for which it occupies a processor before it sleeps
 * again. A reduction lasts LEAST_PENALTY to MOST_PENALTY: not longer, so that processors that
 * become free are used soon. */
enum {
    CREDIT = 10000000,
    DEBT = 100000,
    WAKING = 100000,
    LEAST_PENALTY = 2000000,
    MOST_PENALTY = 1000000000,
    SOON = 20000000
};

/* A reduction lasts LEAST_FACTOR times the loss, and up to MOST_FACTOR times if it comes again. */
enum { LEAST_FACTOR = 4, MOST_FACTOR = 128, MOST_HALVINGS = 8 };

int dd_pace_takers(dd_pace *pace, int64_t now, int most) {
    if (pace->halvings > 0 && now >= pace->until) {
        pace->halvings = 0;
        pace->balance = 0;
        pace->restored = now;
    }
    int takers = most >> pace->halvings;
    return takers < 1 ? 1 : takers;
}

/* Returns how many parts the busiest taker has. */
static size_t rounds(size_t parts, size_t takers) {
    return (parts + takers - 1) / takers;
}

/* Returns how much longer half the takers would have needed. The time of a part is the smaller of
 * the caller's and the others' mean: a part during which a thread lost its processor is not worth
 * more. */
static int64_t saved(const dd_shared_stage *stage) {
    if (stage->mine == 0 || stage->mine == stage->parts)
        return 0;
    size_t takers = (size_t)stage->takers, helped = stage->parts - stage->mine;
    size_t fewer = rounds(stage->parts, takers / 2) - rounds(stage->parts, takers);
    int64_t mine = stage->worked / (int64_t)stage->mine, theirs = stage->others / (int64_t)helped;
    return (mine < theirs ? mine : theirs) * (int64_t)(fewer < helped ? fewer : helped);
}

static int64_t within(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* Halves the takers for a time that grows if all takers were tried again only recently. */
static void reduce(dd_pace *pace, int64_t now) {
    bool again =
        pace->penalty > 0 && now - pace->restored < (pace->penalty < SOON ? SOON : pace->penalty);
    pace->factor = !again                       ? LEAST_FACTOR
                   : pace->factor < MOST_FACTOR ? 2 * pace->factor
                                                : MOST_FACTOR;

    pace->penalty = within(pace->balance * pace->factor, LEAST_PENALTY, MOST_PENALTY);
    pace->until = now + pace->penalty;
    pace->balance = 0;
    if (pace->halvings < MOST_HALVINGS)
        pace->halvings++;
}

void dd_pace_note(dd_pace *pace, int64_t now, const dd_shared_stage *stage) {
    if (stage->takers < 2)
        return;
    if (stage->mine > 0) /* else the caller itself had no processor */
        pace->balance += stage->waited - saved(stage);
    pace->balance += stage->woke ? WAKING : 0;
    if (pace->balance < -CREDIT)
        pace->balance = -CREDIT;
    if (pace->balance > DEBT)
        reduce(pace, now);
}
