#include "base/pace.h"

/* Good stages count up to CREDIT; a balance beyond DEBT halves the takers. The time with fewer is
 * bounded, so that a neighbour that has gone is noticed soon. Those who are woken take processors
 * from others for about WAKING, until they sleep again. */
enum {
    CREDIT = 10000000,
    DEBT = 100000,
    WAKING = 100000,
    LEAST_PENALTY = 2000000,
    MOST_PENALTY = 1000000000
};
enum { SOON = 20000000, LEAST_FACTOR = 4, MOST_FACTOR = 128, MOST_HALVINGS = 8 };

int dd_pace_takers(dd_pace *pace, int64_t now, int most) {
    if (pace->halvings > 0 && now >= pace->until) {
        pace->halvings = 0;
        pace->balance = 0;
        pace->restored = now;
    }
    int takers = most >> pace->halvings;
    return takers < 1 ? 1 : takers;
}

static size_t rounds(size_t parts, size_t takers) {
    return (parts + takers - 1) / takers;
}

/* What half the takers would have needed longer. A part is as long as it took where it was shorter:
 * whoever loses its processor in one makes it no more worth. */
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

/* A loss soon after all were tried again makes the next trial later. */
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
    if (stage->mine > 0) /* else the caller had no processor, and its wait is nobody's fault */
        pace->balance += stage->waited - saved(stage);
    pace->balance += stage->woke ? WAKING : 0;
    if (pace->balance < -CREDIT)
        pace->balance = -CREDIT;
    if (pace->balance > DEBT)
        reduce(pace, now);
}
