#include "config/settings.h"

size_t dd_settings_outer_side(const dd_settings *settings) {
    return settings->data.image_size
               ? (size_t)(settings->data.image_size - 2 * settings->data.padding)
               : 0;
}

static size_t image_width(const dd_settings *settings, size_t side) {
    return side * side * (size_t)settings->data.channels;
}

size_t dd_settings_width(const dd_settings *settings) {
    return settings->data.image_size ? image_width(settings, dd_settings_outer_side(settings))
                                     : (size_t)settings->data.width;
}

size_t dd_settings_inner_width(const dd_settings *settings) {
    return settings->data.image_size ? image_width(settings, (size_t)settings->data.image_size)
                                     : (size_t)settings->data.width;
}

size_t dd_settings_latent_width(const dd_settings *settings) {
    size_t style = (size_t)settings->network.latent_width,
           side = (size_t)(settings->data.image_size / settings->image.patch);
    return settings->network.family == DD_FAMILY_NCSNPP
               ? style + (size_t)settings->network.latent_maps * side * side
               : style;
}

double dd_settings_density_weight(const dd_settings *settings) {
    return settings->objective.latent_weight > 0 ? settings->objective.latent_weight : 1;
}
