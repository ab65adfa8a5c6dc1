/* Settings of node types as tables: name, type, default, range, choices, help. The validator, the
 * API's node-types answer, the documentation and the web form all come from these rows. */
#ifndef OW_WORKFLOW_SETTINGS_H
#define OW_WORKFLOW_SETTINGS_H

#include "core/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum setting_type {
    SETTING_BOOL,
    SETTING_INT,
    SETTING_NUMBER,
    SETTING_TEXT,
    SETTING_CHOICE, /* one of `choices`; a number in JSON is compared by its text */
    SETTING_LIST,   /* a JSON array of numbers or texts */
    SETTING_OBJECT,
    SETTING_COLORS, /* an object of "#rrggbb" */
};

struct setting {
    const char *name, *label, *help;
    enum setting_type type;
    const char *unit;           /* NULL = none */
    double default_number;      /* BOOL (0/1), INT, NUMBER */
    const char *default_text;   /* TEXT, CHOICE; NULL = "" */
    double min, max, step;      /* INT, NUMBER; min == max: no range */
    const char *const *choices; /* CHOICE; ends with NULL */
    const char *const *aliases; /* CHOICE: also taken, not offered; ends with NULL */
    bool required;              /* an empty text is an error */
    const char *group;          /* heading in the form; NULL = the first part */
};

/* Checks one value against its row; `why` says what is wrong and what is allowed. NULL = absent. */
int setting_check(const struct setting *setting, const json_t *value, struct reason *why);

/* Red, green, blue of "#rrggbb". False when it is none. */
bool setting_parse_color(const char *text, uint8_t rgb[3]);

/* The value of a setting in a node's data, or its default; the value has been checked before,
 * except that a choice which is none counts as the default: files of other versions have such. */
bool setting_bool(const json_t *data, const struct setting *table, const char *name);
int setting_int(const json_t *data, const struct setting *table, const char *name);
double setting_number(const json_t *data, const struct setting *table, const char *name);
const char *setting_text(const json_t *data, const struct setting *table, const char *name);
/* The index of a choice in `choices`. */
int setting_choice(const json_t *data, const struct setting *table, const char *name);

/* The rows of a table (ends with a NULL name) as the JSON that the page builds its form from. */
json_t *settings_describe(const struct setting *table);

#endif
