#include "record/record_folder.h"

#include "core/disk_room.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_OPEN = 128, FOLDER_BYTES = 512, VIEW_BYTES = 64, MAX_SAME_NAME = 1000 };

struct record_folder {
    char path[FOLDER_BYTES];
    uint64_t max_bytes;
    pthread_mutex_t lock;                   /* guards what follows */
    uint64_t bytes;                         /* of all recordings; may be too many, never too few */
    char open[MAX_OPEN][RECORD_NAME_BYTES]; /* "" = free */
    struct record_counts written;
    uint64_t failures;
};

/* ---- names ---- */

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Does text of this size end in "-20261129T191440Z", with "-2" or the like behind it or not?
 * Nothing else is ours: whoever names a folder that holds other videos keeps them. */
static bool is_stamped(const char *text, size_t size)
{
    static const char form[] = "-00000000T000000Z";
    enum { FORM_SIZE = sizeof form - 1 };
    size_t digits = 0;
    while (digits < size && isdigit((unsigned char)text[size - 1 - digits]))
        digits++;
    if (digits > 0 && digits + 1 < size && text[size - 1 - digits] == '-')
        size -= digits + 1;
    if (size <= FORM_SIZE)
        return false;
    const char *stamp = text + size - FORM_SIZE;
    for (size_t i = 0; i < FORM_SIZE; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)stamp[i]) : stamp[i] != form[i])
            return false;
    return true;
}

/* The size of the name that a text begins with, 0 when it is none of a recording. */
static size_t name_size(const char *text)
{
    size_t size = 0;
    while (is_name_char(text[size]))
        size++;
    return size < RECORD_NAME_BYTES && is_stamped(text, size) ? size : 0;
}

/* The same of the name of a file. */
static size_t stem_size(const char *file)
{
    size_t size = name_size(file);
    bool is_ours = strcmp(file + size, RECORD_VIDEO) == 0 || strcmp(file + size, RECORD_LINES) == 0;
    return is_ours ? size : 0;
}

static bool is_name(const char *text)
{
    size_t size = name_size(text);
    return size > 0 && text[size] == '\0';
}

void record_folder_name_path(const struct record_folder *folder, const char *name,
                             const char *ending, char path[RECORD_PATH_BYTES])
{
    snprintf(path, RECORD_PATH_BYTES, "%s/%s%s", folder->path, name, ending);
}

/* No link is followed: it may lead anywhere. */
static bool is_file(const char *path, struct stat *info)
{
    return lstat(path, info) == 0 && S_ISREG(info->st_mode);
}

int record_folder_path(const struct record_folder *folder, const char *file,
                       char path[RECORD_PATH_BYTES])
{
    struct stat info;
    if (stem_size(file) == 0)
        return OW_ENOTFOUND;
    record_folder_name_path(folder, file, "", path);
    return is_file(path, &info) ? OW_OK : OW_ENOTFOUND;
}

/* ---- what there is ---- */

static bool is_open(const struct record_folder *folder, const char *name)
{
    for (int i = 0; i < MAX_OPEN; i++)
        if (strcmp(folder->open[i], name) == 0)
            return true;
    return false;
}

bool record_folder_is_open(struct record_folder *folder, const char *file)
{
    char name[RECORD_NAME_BYTES] = "";
    memcpy(name, file, stem_size(file));
    pthread_mutex_lock(&folder->lock);
    bool open = name[0] && is_open(folder, name);
    pthread_mutex_unlock(&folder->lock);
    return open;
}

static int later_first(const void *left, const void *right)
{
    const struct record_entry *a = left, *b = right;
    if (a->modified_us != b->modified_us)
        return a->modified_us < b->modified_us ? 1 : -1;
    return strcmp(b->name, a->name);
}

static struct file_identity lines_of(const struct record_folder *folder, const char *name)
{
    char path[RECORD_PATH_BYTES];
    struct stat info;
    record_folder_name_path(folder, name, RECORD_LINES, path);
    return is_file(path, &info) ? file_identity_from(&info) : (struct file_identity){0};
}

/* Of a video's file; false when it is none of a recording. Under the lock. */
static bool read_entry(const struct record_folder *folder, const char *file,
                       struct record_entry *out)
{
    char path[RECORD_PATH_BYTES];
    struct stat info;
    size_t size = stem_size(file);
    if (size == 0 || strcmp(file + size, RECORD_VIDEO) != 0)
        return false;
    record_folder_name_path(folder, file, "", path);
    if (!is_file(path, &info))
        return false;
    *out = (struct record_entry){0};
    memcpy(out->name, file, size);
    out->lines = lines_of(folder, out->name);
    out->bytes = (uint64_t)info.st_size + (uint64_t)out->lines.size;
    out->modified_us = (int64_t)info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000;
    out->open = is_open(folder, out->name);
    return true;
}

/* Under the lock. */
static struct record_entry *list(const struct record_folder *folder, int *count)
{
    struct record_entry *entries = NULL;
    int room = 0;
    *count = 0;
    DIR *directory = opendir(folder->path);
    struct dirent *file;
    while (directory && (file = readdir(directory))) {
        struct record_entry entry;
        if (!read_entry(folder, file->d_name, &entry))
            continue;
        if (*count == room) {
            room = room ? 2 * room : 32;
            struct record_entry *grown = realloc(entries, (size_t)room * sizeof *grown);
            if (!grown)
                break;
            entries = grown;
        }
        entries[(*count)++] = entry;
    }
    if (directory)
        closedir(directory);
    if (entries)
        qsort(entries, (size_t)*count, sizeof *entries, later_first);
    return entries;
}

struct record_entry *record_folder_list(struct record_folder *folder, int *count)
{
    pthread_mutex_lock(&folder->lock);
    struct record_entry *entries = list(folder, count);
    pthread_mutex_unlock(&folder->lock);
    return entries;
}

/* False, and errno, where the video stays: then the lines do, too. */
static bool remove_files(const struct record_folder *folder, const char *name)
{
    char path[RECORD_PATH_BYTES];
    record_folder_name_path(folder, name, RECORD_VIDEO, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return false;
    record_folder_name_path(folder, name, RECORD_LINES, path);
    (void)unlink(path);
    return true;
}

int record_folder_remove(struct record_folder *folder, const char *name, struct reason *why)
{
    char path[RECORD_PATH_BYTES];
    int rc = OW_ENOTFOUND;
    if (!is_name(name))
        return rc;
    pthread_mutex_lock(&folder->lock);
    record_folder_name_path(folder, name, RECORD_VIDEO, path);
    if (is_open(folder, name)) {
        rc = reason_set(why, OW_ESTATE, "This recording is being written: end it first.");
    } else if (access(path, F_OK) == 0) {
        rc = remove_files(folder, name)
                 ? OW_OK
                 : reason_set(why, OW_EIO, "The recording cannot be deleted: %s.", strerror(errno));
    }
    pthread_mutex_unlock(&folder->lock);
    return rc;
}

/* ---- room ---- */

/* Counts what there is anew. Under the lock. */
static void measure(struct record_folder *folder, const struct record_entry *entries, int count)
{
    folder->bytes = 0;
    for (int i = 0; i < count; i++)
        folder->bytes += entries[i].bytes;
}

/* Removes the oldest until the limit is kept. Under the lock. */
static void thin_out(struct record_folder *folder)
{
    int count = 0;
    struct record_entry *entries = list(folder, &count);
    measure(folder, entries, count);
    for (int i = count - 1; i >= 0 && folder->bytes > folder->max_bytes; i--) {
        if (!entries[i].open && remove_files(folder, entries[i].name))
            folder->bytes -= entries[i].bytes;
    }
    free(entries);
}

/* Under the lock. */
static int check(struct record_folder *folder, struct reason *why)
{
    uint64_t room;
    if (folder->bytes > folder->max_bytes)
        thin_out(folder);
    if (folder->bytes > folder->max_bytes)
        return reason_set(why, OW_EIO,
                          "the recordings being written have reached %.6g MB "
                          "(--max-recordings-mb)",
                          (double)folder->max_bytes / 1e6);
    if (disk_room(folder->path, &room) < 0)
        return reason_set(why, OW_EIO, "the folder for recordings cannot be used: %s",
                          strerror(errno));
    if (room == 0)
        return reason_set(why, OW_EIO,
                          "the disk is full but for %d MB, which are left alone. Delete something",
                          DISK_RESERVE_MB);
    return OW_OK;
}

void record_folder_count(struct record_folder *folder, const struct record_counts *more)
{
    pthread_mutex_lock(&folder->lock);
    folder->bytes += more->bytes;
    folder->written.bytes += more->bytes;
    folder->written.pictures += more->pictures;
    folder->written.lost += more->lost;
    pthread_mutex_unlock(&folder->lock);
}

void record_folder_count_failure(struct record_folder *folder)
{
    pthread_mutex_lock(&folder->lock);
    folder->failures++;
    pthread_mutex_unlock(&folder->lock);
}

void record_folder_read_stats(struct record_folder *folder, struct record_stats *out)
{
    int count = 0;
    pthread_mutex_lock(&folder->lock);
    struct record_entry *entries = list(folder, &count);
    measure(folder, entries, count);
    *out = (struct record_stats){.bytes = folder->bytes,
                                 .max_bytes = folder->max_bytes,
                                 .written = folder->written,
                                 .failures = folder->failures};
    for (int i = 0; i < MAX_OPEN; i++)
        out->running += folder->open[i][0] != '\0';
    pthread_mutex_unlock(&folder->lock);
    free(entries);
}

int record_folder_check(struct record_folder *folder, struct reason *why)
{
    pthread_mutex_lock(&folder->lock);
    int rc = check(folder, why);
    pthread_mutex_unlock(&folder->lock);
    return rc;
}

bool record_folder_has_room(const struct record_folder *folder, uint64_t bytes)
{
    uint64_t room;
    return disk_room(folder->path, &room) == OW_OK && room >= bytes;
}

/* ---- one recording ---- */

static bool make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool make_files(const struct record_folder *folder, const char *name)
{
    char video[RECORD_PATH_BYTES], lines[RECORD_PATH_BYTES];
    record_folder_name_path(folder, name, RECORD_VIDEO, video);
    record_folder_name_path(folder, name, RECORD_LINES, lines);
    if (!make_file(video))
        return false;
    if (make_file(lines))
        return true;
    int error = errno;
    (void)unlink(video);
    errno = error;
    return false;
}

/* "yard-20261129T191440Z", and "-2", "-3", … behind it when it is taken. */
static void make_name(const char *view, int64_t wall_us, int number, char out[RECORD_NAME_BYTES])
{
    char safe[VIEW_BYTES], at[32], behind[16] = "";
    size_t size = 0;
    for (; view[size] && size + 1 < sizeof safe; size++)
        safe[size] = is_name_char(view[size]) ? view[size] : '_';
    safe[size] = '\0';
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(at, sizeof at, "%Y%m%dT%H%M%SZ", &utc);
    if (number > 1)
        snprintf(behind, sizeof behind, "-%d", number);
    snprintf(out, RECORD_NAME_BYTES, "%s-%.16s%s", safe, at, behind);
}

static int claim(struct record_folder *folder, const char *view, int64_t wall_us,
                 char name[RECORD_NAME_BYTES], struct reason *why)
{
    int slot = 0;
    while (slot < MAX_OPEN && folder->open[slot][0])
        slot++;
    if (slot == MAX_OPEN)
        return reason_set(why, OW_ELIMIT, "%d recordings are being written, no more may", MAX_OPEN);
    int rc = check(folder, why);
    if (rc < 0)
        return rc;
    for (int number = 1; number < MAX_SAME_NAME; number++) {
        make_name(view, wall_us, number, name);
        if (make_files(folder, name)) {
            memcpy(folder->open[slot], name, RECORD_NAME_BYTES);
            return OW_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return reason_set(why, OW_EIO, "the recording cannot be written: %s", strerror(errno));
}

int record_folder_claim(struct record_folder *folder, const char *view, int64_t wall_us,
                        char name[RECORD_NAME_BYTES], struct reason *why)
{
    pthread_mutex_lock(&folder->lock);
    int rc = claim(folder, view, wall_us, name, why);
    pthread_mutex_unlock(&folder->lock);
    return rc;
}

void record_folder_release(struct record_folder *folder, const char *name)
{
    pthread_mutex_lock(&folder->lock);
    for (int i = 0; i < MAX_OPEN; i++)
        if (strcmp(folder->open[i], name) == 0)
            folder->open[i][0] = '\0';
    pthread_mutex_unlock(&folder->lock);
}

/* ---- the folder ---- */

/* An index that was not finished when the program was killed. */
static void remove_leftovers(const struct record_folder *folder)
{
    DIR *directory = opendir(folder->path);
    struct dirent *file;
    while (directory && (file = readdir(directory))) {
        size_t size = name_size(file->d_name);
        if (size > 0 && strcmp(file->d_name + size, RECORD_VIDEO ".part") == 0)
            (void)unlinkat(dirfd(directory), file->d_name, 0);
    }
    if (directory)
        closedir(directory);
}

/* False, and errno, when there is none then. */
static bool make_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST || stat(path, &info) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(info.st_mode);
}

int record_folder_create(struct record_folder **out, const char *path, uint64_t max_bytes,
                         struct reason *why)
{
    struct record_folder *folder = calloc(1, sizeof *folder);
    if (!folder)
        return reason_set(why, OW_ENOMEM, "out of memory");
    folder->max_bytes = max_bytes;
    int size = snprintf(folder->path, sizeof folder->path, "%s", path);
    if (size >= FOLDER_BYTES || !make_folder(path)) {
        int rc = reason_set(why, OW_EIO, "the folder for recordings %.200s cannot be made: %s",
                            path, strerror(errno));
        free(folder);
        return rc;
    }
    pthread_mutex_init(&folder->lock, NULL);
    remove_leftovers(folder);
    thin_out(folder);
    *out = folder;
    return OW_OK;
}

void record_folder_destroy(struct record_folder **folder)
{
    struct record_folder *self = *folder;
    *folder = NULL;
    if (!self)
        return;
    pthread_mutex_destroy(&self->lock);
    free(self);
}

uint64_t record_folder_max_bytes(const struct record_folder *folder)
{
    return folder->max_bytes;
}
