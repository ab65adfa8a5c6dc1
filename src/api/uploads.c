#include "api/uploads.h"

#include "api/json_body.h"
#include "core/disk_room.h"
#include "core/log.h"
#include "core/random.h"
#include "workflow/library.h"
#include "workflow/source_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = UPLOAD_FOLDER_BYTES + UPLOAD_NAME_BYTES + 32,
    ID_BYTES = 17,
    LOOK_EVERY_BYTES = 16 * 1024 * 1024, /* for room on the disk */
    MAX_SAME_NAME = 10000,
};

static const int64_t PROBE_US = 10000000;
static const char part_prefix[] = ".part-";

static const char *const nouns[] = {[UPLOAD_VIDEO] = "video", [UPLOAD_MODEL] = "model"};

struct upload {
    struct uploads *uploads;
    enum upload_kind kind;
    int fd;
    uint64_t bytes, looked_at;
    char id[ID_BYTES], name[UPLOAD_NAME_BYTES];
    char part[PATH_BYTES];    /* where it is while under way; "" when no more */
    char sidecar[PATH_BYTES]; /* the same of the file beside a model; "" = none */
};

/* ---- names ---- */

static size_t sequence_size(const char *text)
{
    unsigned char c = (unsigned char)text[0];
    return c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
}

static bool is_unsafe(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f || strchr("\\:*?\"<>|%#&;$`'", c);
}

void upload_file_name(const char *given, char out[UPLOAD_NAME_BYTES])
{
    enum { ROOM = UPLOAD_NAME_BYTES - 8, MAX_ENDING = 8 }; /* for "-9999" */
    for (const char *c = given; *c; c++)
        if (*c == '/' || *c == '\\')
            given = c + 1;
    while (*given == '.' || *given == ' ')
        given++;
    bool is_utf8 = json_body_is_utf8(given);
    const char *ending = strrchr(given, '.');
    size_t ending_size = ending ? strlen(ending) : 0;
    if (ending_size > MAX_ENDING)
        ending_size = 0;
    size_t stem = strlen(given) - ending_size, at = 0;
    for (size_t i = 0; i < stem + ending_size;) {
        size_t size = is_utf8 ? sequence_size(given + i) : 1;
        bool fits = at + size + (i < stem ? ending_size : 0) < ROOM;
        if (fits)
            memcpy(out + at, given + i, size);
        if (fits && size == 1 && (is_unsafe(given[i]) || (unsigned char)given[i] >= 0x80))
            out[at] = '_';
        at += fits ? size : 0;
        i += size;
    }
    out[at] = '\0';
}

/* A name that no file has: "street.mp4", "street-2.mp4", … */
static int choose_name(const struct uploads *uploads, char name[UPLOAD_NAME_BYTES])
{
    char wanted[UPLOAD_NAME_BYTES], path[PATH_BYTES];
    memcpy(wanted, name, sizeof wanted);
    const char *ending = strrchr(wanted, '.');
    int stem = ending ? (int)(ending - wanted) : (int)strlen(wanted);
    for (int i = 2; i < MAX_SAME_NAME; i++) {
        snprintf(path, sizeof path, "%s/%s", uploads->folder, name);
        if (access(path, F_OK) != 0)
            return OW_OK;
        if (snprintf(name, UPLOAD_NAME_BYTES, "%.*s-%d%s", stem, wanted, i, ending ? ending : "") >=
            UPLOAD_NAME_BYTES)
            break;
    }
    return OW_EEXISTS;
}

/* ---- the folder ---- */

static void remove_leftovers(const struct uploads *uploads)
{
    DIR *folder = opendir(uploads->folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (strncmp(entry->d_name, part_prefix, sizeof part_prefix - 1) == 0) {
            log_info("An upload that was not finished is removed: %s", entry->d_name);
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    if (folder)
        closedir(folder);
}

struct missing {
    const struct uploads *uploads;
    char ids[64][ID_BYTES];
    int count;
};

static int look_for_file(void *context, const struct store_upload *row)
{
    struct missing *missing = context;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", missing->uploads->folder, row->file);
    if (missing->count < 64 && access(path, F_OK) != 0)
        snprintf(missing->ids[missing->count++], ID_BYTES, "%s", row->id);
    return OW_OK;
}

static void forget_missing(const struct uploads *uploads)
{
    struct missing missing = {.uploads = uploads};
    (void)store_upload_list(uploads->store, look_for_file, &missing);
    for (int i = 0; i < missing.count; i++)
        (void)store_upload_remove(uploads->store, missing.ids[i]);
}

int uploads_init(struct uploads *uploads, struct store *store, const char *folder,
                 uint64_t max_bytes, struct reason *why)
{
    *uploads = (struct uploads){.store = store, .max_bytes = max_bytes};
    pthread_mutex_init(&uploads->lock, NULL);
    if (!folder || max_bytes == 0)
        return OW_OK;
    int size = snprintf(uploads->folder, sizeof uploads->folder, "%s", folder);
    if (size >= (int)sizeof uploads->folder || (mkdir(folder, 0700) != 0 && errno != EEXIST))
        return reason_set(why, OW_EIO, "the folder for uploads %.200s cannot be made: %s", folder,
                          strerror(errno));
    remove_leftovers(uploads);
    forget_missing(uploads);
    return OW_OK;
}

void uploads_clear(struct uploads *uploads)
{
    if (uploads->store)
        pthread_mutex_destroy(&uploads->lock);
    *uploads = (struct uploads){0};
}

/* ---- one upload ---- */

static int check_size(const struct uploads *uploads, enum upload_kind kind, uint64_t size,
                      struct reason *why)
{
    return size <= uploads->max_bytes
               ? OW_OK
               : reason_set(why, OW_ETOOLARGE, "A %s may have %.6g MB (--max-upload-mb).",
                            nouns[kind], (double)uploads->max_bytes / 1e6);
}

static int check_room(const struct uploads *uploads, uint64_t size, struct reason *why)
{
    uint64_t room;
    if (disk_room(uploads->folder, &room) < 0)
        return reason_set(why, OW_EIO, "The folder for uploads cannot be used: %s.",
                          strerror(errno));
    return size <= room
               ? OW_OK
               : reason_set(why, OW_EIO, "The disk has room for %.0f MB only: delete something.",
                            (double)room / 1e6);
}

static void make_id(char out[ID_BYTES])
{
    struct random_source random;
    random_system(&random);
    snprintf(out, ID_BYTES, "%016llx", (unsigned long long)random_u64(&random));
}

static int check_name(enum upload_kind kind, const char *name, struct reason *why)
{
    if (!name[0])
        return reason_set(why, OW_EINVAL, "The %s needs a name: ?name=%s", nouns[kind],
                          kind == UPLOAD_VIDEO ? "street.mp4" : "street.onnx");
    if (kind == UPLOAD_VIDEO && !library_is_video(name))
        return reason_set(why, OW_EUNSUPPORTED,
                          "\"%.100s\" does not end like a video: mp4, mov, mkv, webm, avi, ts, flv "
                          "and the like are taken.",
                          name);
    if (kind == UPLOAD_MODEL && !library_is_model(name))
        return reason_set(why, OW_EUNSUPPORTED, "\"%.100s\" does not end in .onnx.", name);
    return OW_OK;
}

int upload_begin(struct upload **out, struct uploads *uploads, enum upload_kind kind,
                 const char *name, uint64_t size, struct reason *why)
{
    char safe[UPLOAD_NAME_BYTES];
    if (!uploads->folder[0])
        return reason_set(why, OW_ESTATE,
                          "No files are taken: the server has no --data-folder, or "
                          "--max-upload-mb is 0.");
    upload_file_name(name, safe);
    int rc = check_name(kind, safe, why);
    if (rc == OW_OK)
        rc = check_size(uploads, kind, size, why);
    if (rc == OW_OK)
        rc = check_room(uploads, size, why);
    if (rc < 0)
        return rc;
    struct upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    upload->uploads = uploads;
    upload->kind = kind;
    memcpy(upload->name, safe, sizeof safe);
    make_id(upload->id);
    /* It keeps its ending: FFmpeg goes by it, too, and it is opened before it is kept. */
    snprintf(upload->part, sizeof upload->part, "%s/%s%s%s", uploads->folder, part_prefix,
             upload->id, strrchr(safe, '.'));
    upload->fd = open(upload->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (upload->fd < 0) {
        free(upload);
        return reason_set(why, OW_EIO, "The file cannot be written: %s.", strerror(errno));
    }
    *out = upload;
    return OW_OK;
}

int upload_write(struct upload *upload, const void *data, size_t size, struct reason *why)
{
    const char *bytes = data;
    int rc = check_size(upload->uploads, upload->kind, upload->bytes + size, why);
    if (rc == OW_OK && upload->bytes - upload->looked_at >= LOOK_EVERY_BYTES) {
        upload->looked_at = upload->bytes;
        rc = check_room(upload->uploads, size, why);
    }
    while (rc == OW_OK && size > 0) {
        ssize_t written = write(upload->fd, bytes, size);
        if (written < 0 && errno != EINTR)
            rc = reason_set(why, OW_EIO, "The file cannot be written: %s.", strerror(errno));
        if (written <= 0)
            continue;
        bytes += written;
        size -= (size_t)written;
        upload->bytes += (uint64_t)written;
    }
    return rc;
}

int upload_set_sidecar(struct upload *upload, const char *text, struct reason *why)
{
    if (upload->kind != UPLOAD_MODEL)
        return reason_set(why, OW_EINVAL, "Only a model has a file beside it.");
    const char *ending = strrchr(upload->part, '.');
    snprintf(upload->sidecar, sizeof upload->sidecar, "%.*s.json", (int)(ending - upload->part),
             upload->part);
    FILE *file = fopen(upload->sidecar, "wx");
    bool written = file && fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file)
        written = fclose(file) == 0 && written;
    return written ? OW_OK
                   : reason_set(why, OW_EIO, "The file cannot be written: %s.", strerror(errno));
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* The file beside a model's. */
static void sidecar_of(const char *path, char out[PATH_BYTES])
{
    const char *ending = strrchr(path, '.');
    snprintf(out, PATH_BYTES, "%.*s.json", ending ? (int)(ending - path) : 0, path);
}

static int keep_sidecar(struct upload *upload, const char *path, struct reason *why)
{
    char sidecar[PATH_BYTES];
    sidecar_of(path, sidecar);
    if (rename(upload->sidecar, sidecar) != 0)
        return reason_set(why, OW_EIO, "The file cannot be kept: %s.", strerror(errno));
    upload->sidecar[0] = '\0';
    return OW_OK;
}

/* Under the lock. */
static int keep(struct upload *upload, struct reason *why)
{
    struct uploads *uploads = upload->uploads;
    char path[PATH_BYTES];
    int rc = OW_OK;
    if (choose_name(uploads, upload->name) != OW_OK)
        return reason_set(why, OW_EEXISTS, "There are too many files of this name.");
    snprintf(path, sizeof path, "%s/%s", uploads->folder, upload->name);
    if (upload->sidecar[0])
        rc = keep_sidecar(upload, path, why);
    if (rc < 0)
        return rc;
    if (rename(upload->part, path) != 0)
        return reason_set(why, OW_EIO, "The file cannot be kept: %s.", strerror(errno));
    sync_folder(uploads->folder);
    const struct store_upload row = {.id = upload->id,
                                     .name = upload->name,
                                     .file = upload->name,
                                     .bytes = (int64_t)upload->bytes};
    rc = store_upload_add(uploads->store, &row);
    upload->part[0] = '\0';
    if (rc == OW_OK)
        return OW_OK;
    (void)unlink(path);
    return rc == OW_ELIMIT
               ? reason_set(why, OW_EEXISTS, "There are too many files: delete some.")
               : reason_set(why, OW_EIO, "The file cannot be kept: %s.", error_text(rc));
}

/* A sentence without the path it was found at, which is nobody's business. */
static void hide_path(const struct upload *upload, const char *found, char *out, size_t size)
{
    const size_t stem = strlen(upload->part) - strlen(strrchr(upload->part, '.'));
    size_t at = 0;
    while (*found && at + 1 < size) {
        if (strncmp(found, upload->part, stem) == 0) {
            found += stem;
            found += strcspn(found, " :,;");
            at += (size_t)snprintf(out + at, size - at, "%s", upload->name);
            at = at < size ? at : size - 1;
        } else {
            out[at++] = *found++;
        }
    }
    out[at] = '\0';
}

static int look_at_video(const struct upload *upload, json_t **found, struct reason *why)
{
    struct source_status status = {0};
    struct reason detail = {""};
    char text[sizeof detail.text];
    int rc = source_probe(upload->part, PROBE_US, upload->uploads->stopping, &status, &detail);
    if (rc == OW_ECLOSED)
        return reason_set(why, rc, "%s", detail.text);
    if (rc < 0) {
        hide_path(upload, status.text, text, sizeof text);
        return reason_set(why, OW_EUNSUPPORTED, "\"%.100s\" cannot be played: %.180s.",
                          upload->name, text);
    }
    *found = json_pack("{s:i, s:i, s:f, s:f, s:s}", "width", status.width, "height", status.height,
                       "fps", status.nominal_fps, "duration_s", status.duration_s, "codec",
                       status.codec);
    return *found ? OW_OK : OW_ENOMEM;
}

static int look_at_model(const struct upload *upload, struct runtime *runtime, json_t **found,
                         struct reason *why)
{
    struct reason detail = {""};
    char text[sizeof detail.text];
    int rc = runtime_describe_model(runtime, upload->part, found, &detail);
    if (rc != OW_EUNSUPPORTED)
        return rc;
    hide_path(upload, detail.text, text, sizeof text);
    return reason_set(why, OW_EUNSUPPORTED, "\"%.100s\" cannot be used: %.200s", upload->name,
                      text);
}

int upload_finish(struct upload *upload, struct runtime *runtime, struct store_upload *row,
                  json_t **found, struct reason *why)
{
    json_t *seen = NULL;
    if (fsync(upload->fd) != 0)
        return reason_set(why, OW_EIO, "The file cannot be written: %s.", strerror(errno));
    int rc = upload->kind == UPLOAD_VIDEO ? look_at_video(upload, &seen, why)
                                          : look_at_model(upload, runtime, &seen, why);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&upload->uploads->lock);
    rc = keep(upload, why);
    pthread_mutex_unlock(&upload->uploads->lock);
    if (rc == OW_OK)
        rc = store_upload_get(upload->uploads->store, upload->id, row);
    if (rc == OW_OK)
        *found = seen;
    else
        json_decref(seen);
    return rc;
}

void upload_close(struct upload **upload)
{
    struct upload *self = *upload;
    *upload = NULL;
    if (!self)
        return;
    close(self->fd);
    if (self->part[0])
        (void)unlink(self->part);
    if (self->sidecar[0])
        (void)unlink(self->sidecar);
    free(self);
}

int uploads_remove(struct uploads *uploads, const struct store_upload *row)
{
    char path[PATH_BYTES];
    int rc = store_upload_remove(uploads->store, row->id);
    if (rc != OW_OK)
        return rc;
    snprintf(path, sizeof path, "%s/%s", uploads->folder, row->file);
    (void)unlink(path);
    if (library_is_model(row->file)) {
        char sidecar[PATH_BYTES];
        sidecar_of(path, sidecar);
        (void)unlink(sidecar);
    }
    return OW_OK;
}
