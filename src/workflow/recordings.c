/* What is told of recordings, from the lines beside them: the first says what it is of, the last
 * how it ended. One that is being written, or whose program was killed, has no last line yet: all
 * of it is read. */
#include "workflow/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_BYTES = 2048 };

struct findings {
    json_t *head, *end; /* NULL = not found */
    double pts;         /* of the last picture */
    int pictures, events;
};

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

/* An end is the last line, and short. */
static json_t *read_end(FILE *file)
{
    char tail[TAIL_BYTES + 1];
    if (fseek(file, -TAIL_BYTES, SEEK_END) != 0)
        rewind(file);
    tail[fread(tail, 1, TAIL_BYTES, file)] = '\0';
    char *last = strstr(tail, "{\"type\":\"end\",");
    return last ? json_loads(last, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static void count_lines(FILE *file, struct findings *out)
{
    char *line = NULL;
    size_t room = 0;
    rewind(file);
    while (getline(&line, &room, file) > 0) {
        bool picture = is_type(line, "picture");
        const char *pts = picture ? strstr(line, "\"pts\":") : NULL;
        if (pts)
            out->pts = strtod(pts + 6, NULL);
        out->pictures += picture;
        out->events += is_type(line, "_event");
    }
    free(line);
}

static void read_lines(const char *path, struct findings *out)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    *out = (struct findings){0};
    if (!file)
        return;
    if (getline(&line, &room, file) > 0)
        out->head = json_loads(line, 0, NULL);
    free(line);
    out->end = read_end(file);
    if (!out->end)
        count_lines(file, out);
    fclose(file);
}

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

static json_t *describe(struct record_folder *folder, const struct record_entry *entry)
{
    char path[RECORD_PATH_BYTES];
    struct findings found;
    record_folder_name_path(folder, entry->name, RECORD_LINES, path);
    read_lines(path, &found);
    const json_t *seconds = json_object_get(found.end, "seconds");
    json_t *out = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:s, "
        "s:b}",
        "name", entry->name, "video", json_sprintf("%s" RECORD_VIDEO, entry->name), "lines",
        json_sprintf("%s" RECORD_LINES, entry->name), "node_id", text_of(found.head, "node_id"),
        "workflow_id", text_of(found.head, "workflow_id"), "workflow_name",
        text_of(found.head, "workflow_name"), "label", text_of(found.head, "label"), "layout",
        text_of(found.head, "layout"), "trigger", text_of(found.head, "trigger"), "start",
        text_of(found.head, "time"), "seconds", seconds ? json_number_value(seconds) : found.pts,
        "bytes", (json_int_t)entry->bytes, "pictures",
        number_of(found.end, "pictures", found.pictures), "events",
        number_of(found.end, "events", found.events), "width", number_of(found.head, "width", 0),
        "height", number_of(found.head, "height", 0), "reason", text_of(found.end, "reason"),
        "recording", entry->open);
    json_decref(found.head);
    json_decref(found.end);
    return out;
}

json_t *recordings_describe(struct record_folder *folder)
{
    int count = 0;
    struct record_entry *entries = record_folder_list(folder, &count);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, describe(folder, &entries[i]));
    free(entries);
    return list;
}
