#include "io/image_file.h"

#include "base/error.h"
#include "io/jpeg_read.h"
#include "io/png_read.h"

#include <string.h>
#include <strings.h>

enum { MOST_ENDINGS = 2 };

typedef struct format {
    const char *endings[MOST_ENDINGS];
    bool (*recognise)(const void *data, size_t size);
    ddaebm_status (*parse)(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                           size_t most);
} format;

static const format formats[] = {
    {{".png"}, dd_png_recognise, dd_png_parse},
    {{".jpg", ".jpeg"}, dd_jpeg_recognise, dd_jpeg_parse},
};

enum { FORMATS = sizeof formats / sizeof *formats };

static bool ends_in(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

bool dd_image_file_is_named(const char *name) {
    for (int f = 0; f < FORMATS; f++)
        for (int e = 0; e < MOST_ENDINGS && formats[f].endings[e]; e++)
            if (ends_in(name, formats[f].endings[e]))
                return true;
    return false;
}

/* Returns the format of a file by its content, or NULL. */
static const format *find(const void *data, size_t size) {
    for (int f = 0; f < FORMATS; f++)
        if (formats[f].recognise(data, size))
            return &formats[f];
    return NULL;
}

bool dd_image_file_recognise(const void *data, size_t size) {
    return find(data, size) != NULL;
}

ddaebm_status dd_image_file_parse(dd_images *out, ddaebm_context *context, const void *data,
                                  size_t size, size_t most) {
    const format *found = find(data, size);
    return found ? found->parse(out, context, data, size, most)
                 : dd_fail(DDAEBM_FORMAT, "it is not a " DD_IMAGE_FORMATS " file");
}
