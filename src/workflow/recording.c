#include "workflow/recording.h"

#include "core/clock.h"
#include "core/log.h"
#include "record/mp4_file.h"
#include "workflow/detections_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FRAGMENT = MP4_CLOCK_HZ, /* as much is on the disk each time */
    USUAL_DURATION = MP4_CLOCK_HZ / 30,
    LONGEST = 3600 * MP4_CLOCK_HZ,
    DIGITS = 6, /* of coordinates and confidences */
};

struct text {
    char *data;
    size_t size, room;
    bool failed; /* a part is missing: there was no memory for it */
};

struct recording {
    struct record_folder *folder;
    struct mp4_file *video;
    bool failed;                       /* it takes no more */
    int lines;                         /* descriptor */
    off_t lines_bytes;                 /* that are whole */
    struct text text;                  /* lines that are not written yet */
    struct shared_text *look, *places; /* that were told last; NULL = none yet */
    struct record_item held; /* the last picture, if any: how long it lasts, the next one tells */
    int64_t first_us, wall_offset_us;
    int64_t fragment_pts, duration;          /* of the picture before the one held */
    struct record_counts counted;            /* that the folder knows of */
    struct recording_figures figures, whole; /* of all that came; of what is on the disk */
};

/* ---- lines ---- */

static void __attribute__((format(printf, 2, 3)))
add_text(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text->failed |= size < 0;
    if (text->failed)
        return;
    if (text->size + (size_t)size + 1 > text->room) {
        size_t room = 2 * (text->size + (size_t)size + 1);
        char *grown = realloc(text->data, room);
        text->failed = !grown;
        if (!grown)
            return;
        text->data = grown;
        text->room = room;
    }
    va_start(arguments, format);
    vsnprintf(text->data + text->size, text->room - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

static int64_t pts_of(const struct recording *self, int64_t capture_us)
{
    return (capture_us - self->first_us) * (MP4_CLOCK_HZ / 10000) / 100;
}

static double seconds_of(int64_t pts)
{
    return (double)pts / MP4_CLOCK_HZ;
}

/* The beginning of every line: what it is and when. */
static void begin_line(struct recording *self, const char *type, int64_t capture_us)
{
    char at[CLOCK_TEXT_BYTES];
    clock_wall_text(capture_us + self->wall_offset_us, at);
    add_text(&self->text, "{\"type\":\"%s\",\"pts\":%.6f,\"time\":\"%s\"", type,
             seconds_of(pts_of(self, capture_us)), at);
}

static void add_picture_line(struct recording *self, const struct record_item *item)
{
    const struct encoded *unit = item->unit;
    const struct detections *seen = item->seen;
    bool sized =
        seen && seen->source_width > 0; /* a model that has not answered yet says no size */
    json_t *list = seen ? detections_describe(seen) : json_array();
    char *text = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
    begin_line(self, "picture", unit->capture_us);
    add_text(&self->text,
             ",\"capture_us\":%lld,\"sequence\":%llu,\"width\":%d,\"height\":%d,\"predicted\":%s,"
             "\"count\":%d,\"detections\":%s",
             (long long)unit->capture_us, (unsigned long long)unit->sequence,
             sized ? seen->source_width : unit->width, sized ? seen->source_height : unit->height,
             item->predicted ? "true" : "false", seen ? seen->count : 0, text ? text : "[]");
    if (item->zones)
        add_text(&self->text, ",\"zones\":%s", item->zones);
    add_text(&self->text, "}\n");
    free(text);
    json_decref(list);
}

/* Told when it is not what was told last (`nothing` before the first time). */
static void add_news_line(struct recording *self, const struct record_item *item, const char *type,
                          struct shared_text *now, struct shared_text **told, const char *nothing)
{
    if (!shared_text_follow(told, now, nothing))
        return;
    begin_line(self, type, item->unit->capture_us);
    add_text(&self->text, ",\"%s\":%s}\n", type, now->text);
}

void recording_note(struct recording *self, int64_t at_us, const char *type, const char *object)
{
    if (self->failed)
        return;
    self->figures.events++;
    begin_line(self, type, at_us > self->first_us ? at_us : self->first_us);
    /* What an object holds stands behind its brace, and a comma goes before it. */
    bool holds = object[0] == '{' && object[1] == '"';
    add_text(&self->text, "%s%s\n", holds ? "," : "", holds ? object + 1 : "}");
}

static void add_head(struct recording *self, const struct recording_subject *subject,
                     const struct encoded *first)
{
    char at[CLOCK_TEXT_BYTES];
    clock_wall_text(first->capture_us + self->wall_offset_us, at);
    json_t *head =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "type",
                  "recording", "version", 1, "node_id", subject->node_id, "workflow_id",
                  subject->workflow_id, "workflow_name", subject->workflow_name, "label",
                  subject->label, "layout", subject->layout, "trigger", subject->trigger, "time",
                  at, "width", first->width, "height", first->height, "codec", "h264");
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    add_text(&self->text, "%s\n", text ? text : "{\"type\":\"recording\",\"version\":1}");
    free(text);
    json_decref(head);
}

static int write_lines(struct recording *self, struct reason *why)
{
    size_t done = 0;
    if (self->text.failed)
        return reason_set(why, OW_ENOMEM, "out of memory");
    while (done < self->text.size) {
        ssize_t written = write(self->lines, self->text.data + done, self->text.size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) { /* what is there ends with a whole line */
            int error = errno;
            (void)!ftruncate(self->lines, self->lines_bytes);
            return reason_set(why, OW_EIO, "the recording cannot be written: %s", strerror(error));
        }
        done += (size_t)written;
    }
    self->lines_bytes += (off_t)done;
    self->text.size = 0;
    return OW_OK;
}

/* ---- pictures ---- */

/* What could not be written is not told of either. */
static void forget_unwritten(struct recording *self)
{
    self->figures = self->whole;
    self->text.size = 0;
    self->failed = true;
}

/* Tells the folder of what is on the disk now. */
static void count(struct recording *self)
{
    const struct recording_figures *whole = &self->whole;
    const struct record_counts now = {
        .bytes = whole->bytes, .pictures = (uint64_t)whole->pictures, .lost = whole->lost};
    const struct record_counts more = {.bytes = now.bytes - self->counted.bytes,
                                       .pictures = now.pictures - self->counted.pictures,
                                       .lost = now.lost - self->counted.lost};
    record_folder_count(self->folder, &more);
    self->counted = now;
}

static int flush(struct recording *self, struct reason *why)
{
    int rc = mp4_file_flush(self->video, why);
    if (rc < 0) {
        forget_unwritten(self);
        return rc;
    }
    rc = write_lines(self, why);
    self->figures.bytes = mp4_file_bytes(self->video) + (uint64_t)self->lines_bytes;
    self->whole = self->figures;
    count(self);
    return rc == OW_OK ? record_folder_check(self->folder, why) : rc;
}

/* The picture that is held lasts until then. */
static int write_held(struct recording *self, int64_t end_us)
{
    const struct record_item *item = &self->held;
    if (!item->unit || self->failed) {
        record_item_clear(&self->held);
        return OW_OK;
    }
    int64_t pts = pts_of(self, item->unit->capture_us);
    int64_t duration = pts_of(self, end_us) - pts;
    if (duration <= 0)
        duration = self->duration;
    if (duration > LONGEST)
        duration = LONGEST;
    int rc = mp4_file_add(self->video, item->unit, pts, duration);
    if (item->lost > 0) {
        self->figures.lost += item->lost;
        begin_line(self, "gap", item->unit->capture_us);
        add_text(&self->text, ",\"pictures\":%u}\n", item->lost);
    }
    add_news_line(self, item, "look", item->look, &self->look, "");
    add_news_line(self, item, "zones", item->places, &self->places, ZONE_NO_PLACES);
    add_picture_line(self, item);
    self->duration = duration;
    self->figures.pictures++;
    self->figures.seconds = seconds_of(pts + duration);
    record_item_clear(&self->held);
    return rc;
}

int recording_add(struct recording *self, const struct record_item *item, struct reason *why)
{
    int64_t capture_us = item->unit->capture_us;
    int rc = write_held(self, capture_us);
    if (!record_item_copy(&self->held, item))
        return reason_set(why, OW_ENOMEM, "out of memory");
    if (rc < 0)
        return reason_set(why, rc, "the recording cannot be written: %s", error_text(rc));
    int64_t pts = pts_of(self, capture_us);
    if (pts - self->fragment_pts < FRAGMENT)
        return OW_OK;
    self->fragment_pts = pts;
    return flush(self, why);
}

bool recording_fits(const struct recording *self, const struct encoded *key)
{
    return mp4_file_fits(self->video, key);
}

void recording_read(const struct recording *self, struct recording_figures *out)
{
    *out = self->figures;
}

/* ---- begin and end ---- */

static int open_files(struct recording *self, const struct encoded *first, struct reason *why)
{
    char path[RECORD_PATH_BYTES];
    int64_t wall_us = first->capture_us + self->wall_offset_us;
    record_folder_name_path(self->folder, self->figures.name, RECORD_VIDEO, path);
    int rc = mp4_file_open(&self->video, path, first, wall_us, why);
    if (rc < 0)
        return rc;
    record_folder_name_path(self->folder, self->figures.name, RECORD_LINES, path);
    self->lines = open(path, O_WRONLY | O_APPEND | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
    return self->lines >= 0
               ? OW_OK
               : reason_set(why, OW_EIO, "the recording cannot be written: %s", strerror(errno));
}

static void free_recording(struct recording *self)
{
    if (self->video)
        (void)mp4_file_close(&self->video, NULL);
    if (self->lines >= 0)
        close(self->lines);
    record_item_clear(&self->held);
    shared_text_unref(&self->look);
    shared_text_unref(&self->places);
    record_folder_release(self->folder, self->figures.name);
    free(self->text.data);
    free(self);
}

int recording_begin(struct recording **out, struct record_folder *folder,
                    const struct recording_subject *subject, const struct encoded *first,
                    struct reason *why)
{
    struct recording *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "out of memory");
    self->folder = folder;
    self->lines = -1;
    self->first_us = first->capture_us;
    self->wall_offset_us = clock_wall_us() - clock_now_us();
    self->duration = USUAL_DURATION;
    int rc = record_folder_claim(folder, subject->node_id, self->first_us + self->wall_offset_us,
                                 self->figures.name, why);
    if (rc < 0) {
        free(self);
        return rc;
    }
    rc = open_files(self, first, why);
    if (rc == OW_OK) {
        add_head(self, subject, first);
        rc = write_lines(self, why);
    }
    if (rc < 0) {
        char name[RECORD_NAME_BYTES];
        memcpy(name, self->figures.name, sizeof name);
        free_recording(self);
        (void)record_folder_remove(folder, name, NULL); /* nothing is in it */
        return rc;
    }
    *out = self;
    return OW_OK;
}

static void add_end(struct recording *self, int64_t end_us, const char *why_ended)
{
    const struct recording_figures *f = &self->figures;
    json_t *reason = json_string(why_ended ? why_ended : "");
    char *text = reason ? json_dumps(reason, JSON_ENCODE_ANY) : NULL;
    begin_line(self, "end", end_us);
    add_text(&self->text,
             ",\"seconds\":%.6f,\"pictures\":%d,\"events\":%d,\"lost\":%u,\"reason\":%s}\n",
             f->seconds, f->pictures, f->events, f->lost, text ? text : "\"\"");
    free(text);
    json_decref(reason);
}

/* What closing has written, the index among it. */
static void take_size(struct recording *self, const char *path)
{
    struct stat info;
    uint64_t bytes = stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
    bytes += (uint64_t)self->lines_bytes;
    if (bytes > self->figures.bytes) /* of a folder that has gone nothing is there */
        self->figures.bytes = bytes;
    self->whole = self->figures;
    count(self);
}

/* Meanwhile the video is there twice. */
static int make_index(const struct recording *self, const char *path, struct reason *why)
{
    if (!record_folder_has_room(self->folder, self->whole.bytes))
        return reason_set(why, OW_EIO, "the disk has no room for making an index");
    return mp4_index(path, why);
}

void recording_end(struct recording **recording, int64_t end_us, const char *why_ended)
{
    struct recording *self = *recording;
    struct reason why = {""};
    char path[RECORD_PATH_BYTES];
    *recording = NULL;
    if (!self)
        return;
    (void)write_held(self, end_us);
    int rc = mp4_file_close(&self->video, &why);
    if (rc < 0)
        forget_unwritten(self);
    add_end(self, end_us, why_ended);
    if (write_lines(self, &why) < 0)
        rc = OW_EIO;
    record_folder_name_path(self->folder, self->figures.name, RECORD_VIDEO, path);
    if (rc == OW_OK)
        rc = make_index(self, path, &why);
    if (rc < 0) /* it can be played all the same */
        log_warn("recording %s: %s", self->figures.name, why.text);
    take_size(self, path);
    log_info("recording %s has ended: %.1f s, %d pictures, %d events%s%s", self->figures.name,
             self->figures.seconds, self->figures.pictures, self->figures.events,
             why_ended ? ": " : "", why_ended ? why_ended : "");
    free_recording(self);
}
