/* The folder that recordings are kept in. A recording is two files of one name: name.mp4 and
 * name.jsonl. Together they take no more than a limit: the oldest go first. Some of the disk is
 * left to others. Any thread may call. */
#ifndef OW_RECORD_RECORD_FOLDER_H
#define OW_RECORD_RECORD_FOLDER_H

#include "core/error.h"
#include "core/file_identity.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_NAME_BYTES = 112, RECORD_PATH_BYTES = 768 };

#define RECORD_VIDEO ".mp4"
#define RECORD_LINES ".jsonl"

struct record_folder;

/* Makes the folder, for its owner alone, if it is not there. */
int record_folder_create(struct record_folder **out, const char *path, uint64_t max_bytes,
                         struct reason *why);
void record_folder_destroy(struct record_folder **folder);
uint64_t record_folder_max_bytes(const struct record_folder *folder);

/* A name for a recording of this view (any text) that begins now, and its two files, empty. It
 * counts as being written until it is released. OW_EIO with a sentence: no room, no folder. */
int record_folder_claim(struct record_folder *folder, const char *view, int64_t wall_us,
                        char name[RECORD_NAME_BYTES], struct reason *why);
void record_folder_release(struct record_folder *folder, const char *name);

/* What has been written, of one recording or of all. */
struct record_counts {
    uint64_t bytes, pictures;
    uint64_t lost; /* pictures that are missing: they came faster than they could be written */
};
/* Counts what was written since the last time. */
void record_folder_count(struct record_folder *folder, const struct record_counts *more);
/* Counts a recording that could not begin or go on. */
void record_folder_count_failure(struct record_folder *folder);
/* Is there room for what is being written? Makes some from recordings that have ended. To be called
 * every now and then, when what was written has been counted. */
int record_folder_check(struct record_folder *folder, struct reason *why);
/* Has the disk room for so much more, for a while? */
bool record_folder_has_room(const struct record_folder *folder, uint64_t bytes);

struct record_stats {
    int running;                  /* recordings that are being written */
    uint64_t bytes, max_bytes;    /* room used, and its limit */
    struct record_counts written; /* since the program began */
    uint64_t failures;
};
/* Looks at all files. */
void record_folder_read_stats(struct record_folder *folder, struct record_stats *out);

/* Where a file of a recording is; its name comes from anywhere. OW_ENOTFOUND unless it is one that
 * record_folder_claim() could have made and the file is there. */
int record_folder_path(const struct record_folder *folder, const char *file,
                       char path[RECORD_PATH_BYTES]);
/* Does the file belong to a recording that is being written? */
bool record_folder_is_open(struct record_folder *folder, const char *file);
/* The path of name + ending, which need not be there. */
void record_folder_name_path(const struct record_folder *folder, const char *name,
                             const char *ending, char path[RECORD_PATH_BYTES]);
/* OW_ENOTFOUND; OW_ESTATE: it is being written; OW_EIO: it stays. With a sentence. */
int record_folder_remove(struct record_folder *folder, const char *name, struct reason *why);

struct record_entry {
    char name[RECORD_NAME_BYTES];
    uint64_t bytes;             /* of both files */
    int64_t modified_us;        /* wall clock */
    bool open;                  /* being written */
    struct file_identity lines; /* all zero: there is no such file */
};
/* All recordings, the one changed last first, to be freed; NULL when there are none or no memory.
 */
struct record_entry *record_folder_list(struct record_folder *folder, int *count);

#endif
