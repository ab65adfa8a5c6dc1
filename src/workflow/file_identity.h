/* Which file is behind a path: one that is put in another's place, or written anew, is another. */
#ifndef OW_WORKFLOW_FILE_IDENTITY_H
#define OW_WORKFLOW_FILE_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* All zero for a file that is not there. */
static inline struct file_identity file_identity_of(const char *path)
{
    struct stat status;
    struct file_identity identity = {0};
    if (stat(path, &status) == 0)
        identity =
            (struct file_identity){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
    return identity;
}

static inline bool file_identity_is(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

#endif
