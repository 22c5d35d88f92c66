/* Finding the images in a folder and below. */
#ifndef DD_IMAGE_WALK_H
#define DD_IMAGE_WALK_H

#include "io/folder.h"

/* Limit on the endings that are counted one by one. */
enum { DD_MOST_ENDINGS = 64, DD_ENDING_ROOM = 12 };

typedef struct dd_ending_count {
    char ending[DD_ENDING_ROOM]; /* in lower case, with its dot; "" for none */
    size_t files;
} dd_ending_count;

typedef struct dd_image_walk {
    dd_names images;  /* names of image files: paths relative to the folder */
    dd_names batches; /* data_batch_*.bin of the folder itself: CIFAR-10's */
    dd_ending_count endings[DD_MOST_ENDINGS];
    size_t kinds;         /* endings in the list */
    size_t passed;        /* files passed over, those with other or long endings included */
    size_t lost;          /* links that lead nowhere and are not named like images */
    size_t images_below;  /* images in folders below, where those are not read */
    size_t folders_below; /* folders below that have some */
    size_t repeated;      /* links to folders already walked, or above the walk */
    bool counted_all;     /* the count of images below did not reach its limit */
} dd_image_walk;

/* Walks through a folder and, with `recursive`, through all folders below it and behind links, each
 * once. Images are sorted by the uppermost folder, then by folder, then by name, as torchvision's
 * ImageFolder sorts them. Without `recursive`, images below are counted up to a limit. Hidden files
 * and folders are left out. */
ddaebm_status dd_image_walk_folder(dd_image_walk *out, ddaebm_context *context, const char *path,
                                   bool recursive);

/* Room for dd_image_walk_describe. */
enum { DD_WALK_ROOM = 512 };

/* Describes what was passed over: "12 files that are not PNG or JPEG (9 .txt, 3 .bmp); 40 images in
 * 4 folders below, which --recursive reads"; "" if nothing was. Returns `out`. */
const char *dd_image_walk_describe(char out[DD_WALK_ROOM], const dd_image_walk *walk);

void dd_image_walk_free(dd_image_walk *walk, ddaebm_context *context);

#endif
