/* Encoded pictures into a fragmented MP4 (ISO/IEC 14496-12, by libavformat), as they are: nothing
 * is encoded again. What was flushed can be played while the file grows, and when the program is
 * killed: a flush writes a whole fragment, and one that could not be written is cut off again.
 *
 * Times are in MP4_CLOCK_HZ from the file's first picture. One thread at a time. */
#ifndef OW_RECORD_MP4_FILE_H
#define OW_RECORD_MP4_FILE_H

#include "core/encoded.h"
#include "core/error.h"

enum { MP4_CLOCK_HZ = 90000 };

struct mp4_file;

/* Begins a file, which must be there and is overwritten, with the size and the parameter sets of
 * its first picture, a key frame; it is not written yet. `wall_us` is told as the time of creation.
 * OW_EINVAL: not an H.264 key frame. OW_EIO with a sentence. */
int mp4_file_open(struct mp4_file **out, const char *path, const struct encoded *first,
                  int64_t wall_us, struct reason *why);
/* May this key frame follow in the same file? Not with another size or other parameter sets. */
bool mp4_file_fits(const struct mp4_file *file, const struct encoded *key);

/* Takes a picture into the fragment at hand. `pts` rises from 0, each by the duration before it. */
int mp4_file_add(struct mp4_file *file, const struct encoded *unit, int64_t pts, int64_t duration);
/* Writes the fragment. After OW_EIO the file ends with the one before and takes no more. */
int mp4_file_flush(struct mp4_file *file, struct reason *why);
/* What has been written. */
uint64_t mp4_file_bytes(const struct mp4_file *file);

/* Writes what is left and closes. The file is whole with any result. */
int mp4_file_close(struct mp4_file **file, struct reason *why);

/* Makes a finished file quick to seek in: puts an index (sidx) at its head, in a copy that takes
 * its place at once or not at all. Takes about as long as copying it. */
int mp4_index(const char *path, struct reason *why);

#endif
