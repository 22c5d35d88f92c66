#include "io/other_format.h"

#include "io/image_file.h"

#include <stdbool.h>
#include <string.h>

/* Signatures: the bytes of a format at a fixed place. */
static const struct {
    size_t offset, length;
    const char *bytes, *kind;
} marks[] = {
    {0, 2, "\xFF\xFE", "text in UTF-16: save it as UTF-8"},
    {0, 2, "\xFE\xFF", "text in UTF-16: save it as UTF-8"},
    {0, 2, "\x1F\x8B", "packed by gzip twice: unpack it once"},
    {0, 6,
     "\xFD"
     "7zXZ\0",
     "packed by xz: unpack it with unxz"},
    {0, 3, "BZh", "packed by bzip2: unpack it with bunzip2"},
    {0, 4, "\x28\xB5\x2F\xFD", "packed by zstd: unpack it with unzstd"},
    {0, 4, "\x04\x22\x4D\x18", "packed by LZ4: unpack it with unlz4"},
    {0, 2, "\x1F\x9D", "packed by compress: unpack it with gunzip"},
    {0, 6, "7z\xBC\xAF\x27\x1C", "a 7z archive: unpack it first"},
    {0, 4, "Rar!", "a RAR archive: unpack it first"},
    {257, 5, "ustar", "a tar archive: unpack it first"},
    {0, 8, "\x89HDF\r\n\x1A\n", "an HDF5 file: write its data set with numpy.save, or as CSV"},
    {512, 8, "\x89HDF\r\n\x1A\n",
     "an HDF5 file, as MATLAB 7.3 writes them: write its data set with numpy.save, or as CSV"},
    {0, 4, "CDF\x01", "a NetCDF file: write its data set with numpy.save, or as CSV"},
    {0, 4, "CDF\x02", "a NetCDF file: write its data set with numpy.save, or as CSV"},
    {0, 4, "PAR1", "a Parquet file: write it as CSV"},
    {0, 6, "ARROW1", "an Arrow or Feather file: write it as CSV"},
    {0, 4, "FEA1", "a Feather file: write it as CSV"},
    {0, 16, "SQLite format 3\0", "an SQLite database: write its table as CSV"},
    {0, 10, "MATLAB 5.0",
     "a MATLAB file: write one array of it with writematrix, or with numpy.save"},
    {0, 8, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
     "an Excel workbook, or another file of Office: save its sheet as CSV"},
    {0, 2, "\x80\x02", "a Python pickle: save one array with numpy.save"},
    {0, 2, "\x80\x03", "a Python pickle: save one array with numpy.save"},
    {0, 2, "\x80\x04", "a Python pickle: save one array with numpy.save"},
    {0, 2, "\x80\x05", "a Python pickle: save one array with numpy.save"},
    {0, 4, "GIF8", "a GIF image: convert it to " DD_IMAGE_FORMATS},
    {0, 4, "II*\0", "a TIFF image: convert it to " DD_IMAGE_FORMATS},
    {0, 4, "MM\0*", "a TIFF image: convert it to " DD_IMAGE_FORMATS},
    {8, 4, "WEBP", "a WebP image: convert it to " DD_IMAGE_FORMATS},
    {0, 5, "%PDF-", "a PDF document"},
    {8, 2, "{\"", "a safetensors file, as models are: save one array with numpy.save"},
};

static bool contains(const char *bytes, size_t size, const char *word) {
    const size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, word, length) == 0)
            return true;
    return false;
}

/* Explains a ZIP archive by the name of its first file. */
static const char *explain_zip(const char *bytes, size_t size) {
    enum { NAME = 30, MOST = 64 };
    const size_t left = size > NAME ? size - NAME : 0, length = left < MOST ? left : MOST;
    const char *name = size > NAME ? bytes + NAME : bytes;
    if (contains(name, length, ".npy"))
        return "an NPZ archive: save one array with numpy.save";
    if (contains(name, length, "[Content_Types]") || contains(name, length, "xl/") ||
        contains(name, length, "_rels/"))
        return "an Excel workbook (XLSX), or another file of Office: save its sheet as CSV";
    if (contains(name, length, "mimetype"))
        return "an OpenDocument file: save its sheet as CSV";
    if (contains(name, length, "/data.pkl"))
        return "a file of PyTorch: save one array with numpy.save";
    return "a ZIP archive: unpack it first";
}

static bool begins(const char *bytes, size_t size, const char *lower) {
    size_t i = 0;
    while (i < size && lower[i] && (bytes[i] == lower[i] || (bytes[i] | 0x20) == lower[i]))
        i++;
    return !lower[i];
}

const char *dd_other_format_explain(const void *data, size_t size) {
    const char *bytes = data;
    if (begins(bytes, size, "<!doctype html") || begins(bytes, size, "<html"))
        return "an HTML page: download the file itself";
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return explain_zip(bytes, size);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= marks[i].offset + marks[i].length &&
            memcmp(bytes + marks[i].offset, marks[i].bytes, marks[i].length) == 0)
            return marks[i].kind;
    return NULL;
}
