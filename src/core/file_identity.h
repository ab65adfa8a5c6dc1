/* Which file is behind a path: one that is put in another's place, or written anew, is another. */
#ifndef OW_CORE_FILE_IDENTITY_H
#define OW_CORE_FILE_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

static inline struct file_identity file_identity_from(const struct stat *status)
{
    return (struct file_identity){status->st_dev, status->st_ino, status->st_size, status->st_mtim};
}

/* All zero for a file that is not there. */
static inline struct file_identity file_identity_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? file_identity_from(&status) : (struct file_identity){0};
}

static inline bool file_identity_is(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

#endif
