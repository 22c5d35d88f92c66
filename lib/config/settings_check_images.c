#include "config/settings_check.h"

#include "base/error.h"

enum { LEAST_SIZE = 8, MOST_SIZE = 128, LEAST_TAPS = 2, MOST_TAPS = 8 };

static bool is_power_of_two(int64_t x) {
    return x > 0 && (x & (x - 1)) == 0;
}

static ddaebm_status check_size(const dd_settings *settings) {
    int64_t size = settings->data.image_size;
    if (is_power_of_two(size) && size >= LEAST_SIZE && size <= MOST_SIZE)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "data.image_size is %lld; with network.family ncsnpp it must be 8, 16, 32, 64 "
                   "or 128 (data.padding enlarges the data's images)",
                   (long long)size);
}

/* Returns whether a group norm fits C channels: it has min(C / 4, 32) groups of equal size. */
static bool fits_group_norm(int64_t channels) {
    int64_t groups = channels / 4 < 32 ? channels / 4 : 32;
    return groups > 0 && channels % groups == 0;
}

/* Goes through a U-Net as lib/layers/ncsnpp.c builds it and returns the first number of channels
 * that no group norm fits; 0 if all fit. */
static int64_t find_misfit(const dd_u_net_settings *net) {
    int64_t kept[DD_MOST_INTEGERS * (DD_MOST_BLOCKS + 1) + 1], channels = net->channels;
    size_t count = 0, depth = 0;

    if (!fits_group_norm(channels))
        return channels;
    kept[count++] = channels;

    for (; depth < net->multipliers.count; depth++) {
        int64_t here = net->channels * net->multipliers.values[depth];
        if (!fits_group_norm(here))
            return here;
        for (int64_t i = 0; i < net->blocks; i++)
            kept[count++] = channels = here;
        if (depth + 1 < net->multipliers.count)
            kept[count++] = channels;
    }

    while (depth-- > 0) /* each block reads its input and what the way down kept */
        for (int64_t i = 0; i <= net->blocks; i++) {
            int64_t together = channels + kept[--count];
            if (!fits_group_norm(together))
                return together;
            channels = net->channels * net->multipliers.values[depth];
        }
    return 0;
}

static ddaebm_status check_patch(const dd_settings *settings) {
    if (is_power_of_two(settings->image.patch))
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE, "image.patch is %lld; allowed: 1, 2 or 4",
                   (long long)settings->image.patch);
}

/* Checks that the image can be halved often enough, and that group norms fit. */
static ddaebm_status check_u_net(const dd_settings *settings, const dd_u_net_settings *net,
                                 const char *name) {
    int64_t resolutions = (int64_t)net->multipliers.count, most = 1;
    long long side = (long long)(settings->data.image_size / settings->image.patch);
    while (side >> most > 0)
        most++;
    if (resolutions < 1 || resolutions > most)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "%s.multipliers has %lld resolutions; images of %lld x %lld can be halved "
                       "%lld times, so from 1 to %lld fit",
                       name, (long long)resolutions, side, side, (long long)most - 1,
                       (long long)most);

    int64_t misfit = find_misfit(net);
    if (misfit == 0)
        return DDAEBM_OK;
    return dd_fail(
        DDAEBM_OUT_OF_RANGE,
        "%s.channels is %lld, which with %s.multipliers gives layers of %lld channels; a group "
        "norm "
        "needs C channels to divide into min(C/4, 32) groups: multiples of 32 always do, multiples "
        "of 4 do up to 128",
        name, (long long)net->channels, name, (long long)misfit);
}

static ddaebm_status check_filter(const dd_settings *settings) {
    const dd_integers *taps = &settings->image.fir_kernel;
    int64_t sum = 0;
    for (size_t i = 0; i < taps->count; i++)
        sum += taps->values[i];

    if (!settings->image.fir || (taps->count >= LEAST_TAPS && taps->count <= MOST_TAPS && sum > 0))
        return DDAEBM_OK;
    return dd_fail(
        DDAEBM_OUT_OF_RANGE,
        "image.fir_kernel has %zu taps that sum to %lld; allowed: 2 to 8 taps, not all of them 0",
        taps->count, (long long)sum);
}

static ddaebm_status check_encoder(const dd_settings *settings) {
    long long batch = (long long)settings->training.batch;
    if (settings->encoder.kind == DD_ENCODER_LARGE && batch > 4 && batch % 4 != 0)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "training.batch is %lld; with encoder.kind large, whose minibatch standard "
                       "deviation takes images four at a time, it must be a multiple of 4, or "
                       "less than 4",
                       batch);
    return DDAEBM_OK;
}

ddaebm_status dd_settings_check_images(const dd_settings *settings) {
    ddaebm_status status;
    DD_TRY(check_size(settings));
    DD_TRY(check_patch(settings));
    DD_TRY(check_u_net(settings, &settings->energy.u_net, "energy"));
    DD_TRY(check_u_net(settings, &settings->generator.u_net, "generator"));
    DD_TRY(check_filter(settings));
    DD_TRY(check_encoder(settings));
cleanup:
    return status;
}
