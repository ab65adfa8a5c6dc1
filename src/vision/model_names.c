#include "vision/model_names.h"

#include "core/error.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    char **items; /* NULL where none was given */
    int count;
};

static void skip_space(const char **at)
{
    while (isspace((unsigned char)**at))
        (*at)++;
}

static bool accept(const char **at, char wanted)
{
    skip_space(at);
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static int parse_key(const char **at, int *out)
{
    skip_space(at);
    if (!isdigit((unsigned char)**at))
        return OW_EPARSE;
    int value = 0;
    for (; isdigit((unsigned char)**at); (*at)++) {
        value = value * 10 + (**at - '0');
        if (value >= MODEL_NAMES_MAX)
            return OW_ELIMIT;
    }
    *out = value;
    return OW_OK;
}

/* The character that follows a backslash, as Python means it. */
static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static int parse_string(const char **at, char **out)
{
    skip_space(at);
    char quote = **at;
    if (quote != '\'' && quote != '"')
        return OW_EPARSE;
    const char *start = ++(*at);
    while (**at != '\0' && **at != quote)
        *at += (**at == '\\' && (*at)[1] != '\0') ? 2 : 1;
    if (**at != quote)
        return OW_EPARSE;
    char *text = malloc((size_t)(*at - start) + 1);
    if (text == NULL)
        return OW_ENOMEM;
    size_t length = 0;
    for (const char *c = start; c < *at; c++)
        text[length++] = *c == '\\' ? unescaped(*++c) : *c;
    text[length] = '\0';
    (*at)++;
    *out = text;
    return OW_OK;
}

/* Takes ownership of `name`; a key that comes twice keeps the later name, as in Python. */
static int names_set(struct names *names, int key, char *name)
{
    if (key < 0 || key >= MODEL_NAMES_MAX) {
        free(name);
        return OW_ELIMIT;
    }
    if (names->items == NULL || key >= names->count) {
        char **grown = realloc(names->items, ((size_t)key + 1) * sizeof *grown);
        if (grown == NULL) {
            free(name);
            return OW_ENOMEM;
        }
        memset(grown + names->count, 0, (size_t)(key + 1 - names->count) * sizeof *grown);
        names->items = grown;
        names->count = key + 1;
    }
    free(names->items[key]);
    names->items[key] = name;
    return OW_OK;
}

static int parse_entry(const char **at, bool is_dict, int next, struct names *names)
{
    int key = next;
    char *name = NULL;
    int result = is_dict ? parse_key(at, &key) : OW_OK;
    if (result == OW_OK && is_dict && !accept(at, ':'))
        result = OW_EPARSE;
    if (result == OW_OK)
        result = parse_string(at, &name);
    return result == OW_OK ? names_set(names, key, name) : result;
}

static int parse_entries(const char *text, struct names *names)
{
    bool is_dict = accept(&text, '{');
    if (!is_dict && !accept(&text, '['))
        return OW_EPARSE;
    char closing = is_dict ? '}' : ']';
    bool closed = accept(&text, closing);
    for (int next = 0; !closed; next++) {
        int result = parse_entry(&text, is_dict, next, names);
        if (result != OW_OK)
            return result;
        bool comma = accept(&text, ',');
        closed = accept(&text, closing);
        if (!comma && !closed)
            return OW_EPARSE;
    }
    skip_space(&text);
    return *text == '\0' ? OW_OK : OW_EPARSE;
}

static int fill_gaps(struct names *names)
{
    for (int i = 0; i < names->count; i++) {
        char text[32];
        if (names->items[i] != NULL)
            continue;
        snprintf(text, sizeof text, "class %d", i);
        names->items[i] = strdup(text);
        if (names->items[i] == NULL)
            return OW_ENOMEM;
    }
    return OW_OK;
}

static void names_free(struct names *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static int to_label_set(struct names *names, struct label_set **out)
{
    int result = fill_gaps(names);
    if (result != OW_OK)
        return result;
    static const char *const none[1] = {NULL};
    return label_set_create(out, names->count > 0 ? (const char *const *)names->items : none,
                            names->count);
}

int model_names_parse(struct label_set **out, const char *text)
{
    struct names names = {0};
    int result = parse_entries(text, &names);
    if (result == OW_OK)
        result = to_label_set(&names, out);
    names_free(&names);
    return result;
}

int model_names_numbered(struct label_set **out, int count)
{
    struct names names = {0};
    if (count < 0 || count > MODEL_NAMES_MAX)
        return OW_EINVAL;
    if (count > 0) {
        names.items = calloc((size_t)count, sizeof *names.items);
        if (names.items == NULL)
            return OW_ENOMEM;
        names.count = count;
    }
    int result = to_label_set(&names, out);
    names_free(&names);
    return result;
}
