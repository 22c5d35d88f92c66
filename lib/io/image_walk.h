/* Which images a folder has, in it and below. */
#ifndef DD_IMAGE_WALK_H
#define DD_IMAGE_WALK_H

#include "io/folder.h"

/* Endings of files that are counted one by one. */
enum { DD_MOST_ENDINGS = 64, DD_ENDING_ROOM = 12 };

typedef struct dd_ending_count {
    char ending[DD_ENDING_ROOM]; /* in lower case, with its point; "" for none */
    size_t files;
} dd_ending_count;

typedef struct dd_image_walk {
    dd_names images;  /* what ends in .png, .jpg or .jpeg: paths from the folder on */
    dd_names batches; /* data_batch_*.bin of the folder itself: CIFAR-10's */
    dd_ending_count endings[DD_MOST_ENDINGS];
    size_t kinds, passed; /* endings; files passed over, of which those with further or long endings
                             are in no count */
    size_t lost;          /* links that lead nowhere, and are named as no image is */
    size_t images_below, folders_below; /* where the folders below are not read: images in them, and
                                           folders that have some */
    size_t repeated; /* links to folders that had been walked already, or that the folder lies in */
    bool counted_all; /* of what is below */
} dd_image_walk;

/* Walks through a folder and, with `recursive`, all folders below it, which links may lead to; each
 * is walked once. Images are sorted by the uppermost folder, then by folder, then by name, as
 * torchvision's ImageFolder sorts them. Without `recursive`, images below are counted up to a
 * bound. Hidden files and folders, which begin with a point, are left out. */
ddaebm_status dd_image_walk_folder(dd_image_walk *out, ddaebm_context *context, const char *path,
                                   bool recursive);

/* Room for dd_image_walk_describe. */
enum { DD_WALK_ROOM = 512 };

/* Writes what was passed over and why: "12 files that are no PNG or JPEG (9 .txt, 3 .bmp); 40
 * images in 4 folders below, which --recursive reads".
 * "" for nothing. Gives `out` back. */
const char *dd_image_walk_describe(char out[DD_WALK_ROOM], const dd_image_walk *walk);

void dd_image_walk_free(dd_image_walk *walk, ddaebm_context *context);

#endif
