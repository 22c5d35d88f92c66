/* Measures of images against data, in the features of a small classifier (image_features.h). */
#ifndef IMAGE_QUALITY_H
#define IMAGE_QUALITY_H

#include "image_options.h"
#include "quality.h"

typedef struct image_measures {
    /* Fréchet distance between normal distributions fitted to the features (Heusel et al., 2017):
     * of samples and data, and of the data and its other rows. */
    double frechet, frechet_floor;
    /* Precision: the fraction of samples within the data's support; recall: the fraction of data
     * within the samples' (Kynkäänniemi et al., 2019; 3 neighbours, of at most 5,000 images). */
    double precision, recall;
} image_measures;

/* Measures images in [-1, 1]. Returns 0, or the exit status after a complaint. */
int measure_images(image_measures *out, const compared_rows *rows, image_shape shape);

#endif
