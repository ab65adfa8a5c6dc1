#include "api/metrics_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 16 * 1024 };

static void append(struct metrics_text *text, const char *data, size_t size)
{
    if (text->failed)
        return;
    if (text->size + size + 1 > text->room) {
        size_t room = text->room ? 2 * text->room : FIRST_BYTES;
        while (room < text->size + size + 1)
            room *= 2;
        char *grown = realloc(text->data, room);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->room = room;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void append_text(struct metrics_text *text, const char *data)
{
    append(text, data, strlen(data));
}

static void append_escaped(struct metrics_text *text, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            append_text(text, "\\n");
        else if (*value == '"' || *value == '\\')
            append(text, (const char[]){'\\', *value}, 2);
        else
            append(text, value, 1);
    }
}

void metrics_family(struct metrics_text *text, const char *name, const char *type, const char *help)
{
    char lines[512];
    int size =
        snprintf(lines, sizeof lines, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    append(text, lines, (size_t)size < sizeof lines ? (size_t)size : sizeof lines - 1);
    text->family = name;
}

void metrics_sample(struct metrics_text *text, const char *suffix,
                    const struct metrics_label *labels, double value)
{
    char number[40];
    append_text(text, text->family);
    append_text(text, suffix);
    for (const struct metrics_label *i = labels; i && i->name; i++) {
        append_text(text, i == labels ? "{" : ",");
        append_text(text, i->name);
        append_text(text, "=\"");
        append_escaped(text, i->value);
        append_text(text, "\"");
    }
    if (labels && labels->name)
        append_text(text, "}");
    if (isinf(value))
        snprintf(number, sizeof number, " %s\n", value > 0 ? "+Inf" : "-Inf");
    else
        snprintf(number, sizeof number, isnan(value) ? " NaN\n" : " %.17g\n", value);
    append_text(text, number);
}
