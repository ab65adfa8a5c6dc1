/* The first line of a recording says what it is of, the last how it ended. One that is being
 * written, or whose program was killed, has no last line yet: its pictures and events are counted.
 * Anything may stand in a file that was put there by hand. */
#include "workflow/recording_list.h"

#include "core/error.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 16384, /* more than the texts of a first line can be */
    TAIL_BYTES = 2048,
    BEGIN_BYTES = 96, /* of a line that is counted: its type and its pts */
};

/* What was read of one recording. */
struct known {
    char name[RECORD_NAME_BYTES];
    struct file_identity lines; /* the file that was read, as it was */
    char *head, *end;           /* its first and its last line, NULL = it has none */
    off_t counted;              /* so far its whole lines have been counted */
    double pts;                 /* of the last picture among these */
    int pictures, events;
};

struct recording_list {
    struct record_folder *folder;
    pthread_mutex_t lock; /* guards what follows */
    struct known *known;  /* by name */
    int count;
};

/* ---- reading ---- */

/* The type of a line, which its first member says, ends so. */
static bool is_type(const char *line, const char *ending)
{
    static const char form[] = "{\"type\":\"";
    const char *type = line + sizeof form - 1, *quote = NULL;
    if (strncmp(line, form, sizeof form - 1) == 0)
        quote = strchr(type, '"');
    size_t size = strlen(ending);
    return quote && (size_t)(quote - type) >= size && strncmp(quote - size, ending, size) == 0;
}

static char *read_head(FILE *file)
{
    char *line = malloc(HEAD_BYTES);
    if (line && fgets(line, HEAD_BYTES, file) && strchr(line, '\n'))
        return line;
    free(line);
    return NULL;
}

/* An end is the last line, and short. */
static char *read_end(FILE *file)
{
    char tail[TAIL_BYTES + 1];
    if (fseek(file, -TAIL_BYTES, SEEK_END) != 0 && fseek(file, 0, SEEK_SET) != 0)
        return NULL;
    tail[fread(tail, 1, TAIL_BYTES, file)] = '\0';
    const char *last = strstr(tail, "{\"type\":\"end\",");
    return last ? strdup(last) : NULL;
}

static void count_line(struct known *known, const char *line)
{
    bool picture = is_type(line, "picture");
    const char *pts = picture ? strstr(line, "\"pts\":") : NULL;
    double at = pts ? strtod(pts + 6, NULL) : 0;
    if (at > 0 && isfinite(at))
        known->pts = at;
    known->pictures += picture;
    known->events += is_type(line, "_event");
}

/* Those that are whole and were not counted yet. */
static void count_lines(FILE *file, struct known *known)
{
    char begin[BEGIN_BYTES];
    size_t size = 0;
    off_t at = known->counted;
    if (fseeko(file, at, SEEK_SET) != 0)
        return;
    for (int c; (c = getc_unlocked(file)) != EOF;) {
        at++;
        if (c != '\n') {
            if (size + 1 < sizeof begin)
                begin[size++] = (char)c;
            continue;
        }
        begin[size] = '\0';
        count_line(known, begin);
        known->counted = at;
        size = 0;
    }
}

/* All but its name. */
static void forget(struct known *known)
{
    struct known none = {0};
    free(known->head);
    free(known->end);
    memcpy(none.name, known->name, sizeof none.name);
    *known = none;
}

/* NULL: it is not there, or is no file. What is put there by hand may be a pipe, or lead elsewhere.
 */
static FILE *open_lines(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

/* Brings what is known of a recording to what is there now. */
static void renew(struct known *known, const struct record_folder *folder,
                  const struct record_entry *entry)
{
    char path[RECORD_PATH_BYTES];
    memcpy(known->name, entry->name, sizeof known->name);
    if (file_identity_is(&known->lines, &entry->lines))
        return;
    /* Only what is written here is known to grow at its end and nowhere else. */
    bool grown = entry->open && known->head && known->lines.device == entry->lines.device &&
                 known->lines.inode == entry->lines.inode && known->counted <= entry->lines.size;
    if (!grown)
        forget(known);
    record_folder_name_path(folder, entry->name, RECORD_LINES, path);
    FILE *file = entry->lines.size > 0 ? open_lines(path) : NULL;
    known->lines = file || entry->lines.size == 0 ? entry->lines : (struct file_identity){0};
    if (!file)
        return;
    if (!known->head)
        known->head = read_head(file);
    if (!known->end)
        known->end = read_end(file);
    if (!known->end)
        count_lines(file, known);
    fclose(file);
}

/* ---- telling ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *name, int otherwise)
{
    const json_t *number = json_object_get(object, name);
    return number ? json_integer_value(number) : otherwise;
}

static json_t *describe(const struct known *known, const struct record_entry *entry)
{
    json_t *head = known->head ? json_loads(known->head, 0, NULL) : NULL;
    json_t *end = known->end ? json_loads(known->end, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    const json_t *seconds = json_object_get(end, "seconds");
    json_t *out = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:s, "
        "s:b}",
        "name", entry->name, "video", json_sprintf("%s" RECORD_VIDEO, entry->name), "lines",
        json_sprintf("%s" RECORD_LINES, entry->name), "node_id", text_of(head, "node_id"),
        "workflow_id", text_of(head, "workflow_id"), "workflow_name",
        text_of(head, "workflow_name"), "label", text_of(head, "label"), "layout",
        text_of(head, "layout"), "trigger", text_of(head, "trigger"), "start",
        text_of(head, "time"), "seconds", seconds ? json_number_value(seconds) : known->pts,
        "bytes", (json_int_t)entry->bytes, "pictures", number_of(end, "pictures", known->pictures),
        "events", number_of(end, "events", known->events), "width", number_of(head, "width", 0),
        "height", number_of(head, "height", 0), "reason", text_of(end, "reason"), "recording",
        entry->open);
    json_decref(head);
    json_decref(end);
    return out;
}

/* ---- the list ---- */

static int by_name(const void *left, const void *right)
{
    const struct known *a = left, *b = right;
    return strcmp(a->name, b->name);
}

/* What is known of it, which is the caller's from now on; nothing where nothing is. */
static struct known take_known(struct recording_list *list, const char *name)
{
    struct known key = {0}, *found = NULL;
    memcpy(key.name, name, sizeof key.name);
    if (list->count > 0)
        found = bsearch(&key, list->known, (size_t)list->count, sizeof key, by_name);
    if (!found)
        return (struct known){0};
    key = *found;
    found->head = found->end = NULL;
    return key;
}

static void clear(struct recording_list *list)
{
    for (int i = 0; i < list->count; i++)
        forget(&list->known[i]);
    free(list->known);
    list->known = NULL;
    list->count = 0;
}

/* Under the lock. */
static json_t *describe_all(struct recording_list *list, const struct record_entry *entries,
                            int count)
{
    struct known *now = calloc((size_t)count + 1, sizeof *now);
    json_t *out = json_array();
    for (int i = 0; now && i < count; i++) {
        now[i] = take_known(list, entries[i].name);
        renew(&now[i], list->folder, &entries[i]);
        json_array_append_new(out, describe(&now[i], &entries[i]));
    }
    if (now) {
        clear(list);
        qsort(now, (size_t)count, sizeof *now, by_name);
        list->known = now;
        list->count = count;
    }
    if (!now || json_array_size(out) != (size_t)count) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *recording_list_describe(struct recording_list *list)
{
    int count = 0;
    pthread_mutex_lock(&list->lock);
    struct record_entry *entries = record_folder_list(list->folder, &count);
    json_t *out = describe_all(list, entries, count);
    pthread_mutex_unlock(&list->lock);
    free(entries);
    return out;
}

int recording_list_create(struct recording_list **out, struct record_folder *folder)
{
    struct recording_list *list = calloc(1, sizeof *list);
    if (!list)
        return OW_ENOMEM;
    list->folder = folder;
    pthread_mutex_init(&list->lock, NULL);
    *out = list;
    return OW_OK;
}

void recording_list_destroy(struct recording_list **list)
{
    struct recording_list *self = *list;
    *list = NULL;
    if (!self)
        return;
    clear(self);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
