#include "workflow/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct setting *find(const struct setting *table, const char *name)
{
    const struct setting *row = table;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row;
}

/* Files of the system before hold numbers as the texts that its forms gave: "0.5". */
static bool read_number(const json_t *value, double *out)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    *out = text ? strtod(text, &end) : json_number_value(value);
    return text ? end > text && (size_t)(end - text) == json_string_length(value)
                : json_is_number(value);
}

static int check_number(const struct setting *s, const json_t *value, struct reason *why)
{
    double number;
    if (!read_number(value, &number))
        return reason_set(why, OW_EINVAL, "%s must be a number", s->name);
    if (!isfinite(number) || (s->type == SETTING_INT && floor(number) != number))
        return reason_set(why, OW_EINVAL, "%s must be a whole number", s->name);
    if (s->min < s->max && (number < s->min || number > s->max))
        return reason_set(why, OW_EINVAL, "%s is %g, but must be from %g to %g", s->name, number,
                          s->min, s->max);
    return OW_OK;
}

static int index_of(const char *const *list, const char *text)
{
    for (int i = 0; list && list[i]; i++)
        if (strcmp(list[i], text) == 0)
            return i;
    return -1;
}

/* A number in JSON counts as its text, written into `scratch`. NULL when it is neither. */
static const char *choice_text(const json_t *value, char scratch[32])
{
    if (!json_is_number(value))
        return json_string_value(value);
    snprintf(scratch, 32, "%g", json_number_value(value));
    return scratch;
}

static bool is_choice(const struct setting *s, const char *text)
{
    return text && (index_of(s->choices, text) >= 0 || index_of(s->aliases, text) >= 0);
}

static int check_choice(const struct setting *s, const json_t *value, struct reason *why)
{
    char scratch[32];
    const char *text = choice_text(value, scratch);
    if (is_choice(s, text))
        return OW_OK;
    char allowed[200] = "";
    for (const char *const *choice = s->choices; *choice; choice++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", *choice);
    }
    return reason_set(why, OW_EINVAL, "%s is \"%.40s\", but must be one of: %s", s->name,
                      text ? text : "(not a text)", allowed);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

bool setting_parse_color(const char *text, uint8_t rgb[3])
{
    uint8_t parsed[3];
    if (!text || strlen(text) != 7 || text[0] != '#')
        return false;
    for (int i = 0; i < 3; i++) {
        int high = hex_digit(text[1 + 2 * i]), low = hex_digit(text[2 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        parsed[i] = (uint8_t)(16 * high + low);
    }
    memcpy(rgb, parsed, sizeof parsed);
    return true;
}

static int check_colors(const struct setting *s, const json_t *value, struct reason *why)
{
    if (!json_is_object(value))
        return reason_set(why, OW_EINVAL, "%s must be an object of colours", s->name);
    const char *name;
    json_t *color;
    uint8_t rgb[3];
    json_object_foreach((json_t *)value, name, color)
    {
        const char *text = json_string_value(color);
        if (!setting_parse_color(text, rgb))
            return reason_set(why, OW_EINVAL,
                              "%s: the colour of \"%.40s\" is \"%.40s\", but must be like #ff8800",
                              s->name, name, text ? text : "(not a text)");
    }
    return OW_OK;
}

static int check_text(const struct setting *s, const json_t *value, struct reason *why)
{
    if (!json_is_string(value))
        return reason_set(why, OW_EINVAL, "%s must be a text", s->name);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return reason_set(why, OW_EINVAL, "%s contains a NUL character", s->name);
    if (s->required && json_string_length(value) == 0)
        return reason_set(why, OW_EINVAL, "%s is empty: %s", s->name, s->help);
    return OW_OK;
}

int setting_check(const struct setting *s, const json_t *value, struct reason *why)
{
    if (!value || json_is_null(value))
        return s->required ? reason_set(why, OW_EINVAL, "%s is missing: %s", s->name, s->help)
                           : OW_OK;
    switch (s->type) {
    case SETTING_BOOL:
        return json_is_boolean(value)
                   ? OW_OK
                   : reason_set(why, OW_EINVAL, "%s must be true or false", s->name);
    case SETTING_INT:
    case SETTING_NUMBER:
        return check_number(s, value, why);
    case SETTING_TEXT:
        return check_text(s, value, why);
    case SETTING_CHOICE:
        return check_choice(s, value, why);
    case SETTING_LIST:
        return json_is_array(value) ? OW_OK
                                    : reason_set(why, OW_EINVAL, "%s must be a list", s->name);
    case SETTING_OBJECT:
        return json_is_object(value) ? OW_OK
                                     : reason_set(why, OW_EINVAL, "%s must be an object", s->name);
    case SETTING_COLORS:
        return check_colors(s, value, why);
    }
    return OW_EINVAL;
}

bool setting_bool(const json_t *data, const struct setting *table, const char *name)
{
    const json_t *value = json_object_get(data, name);
    return json_is_boolean(value) ? json_is_true(value) : find(table, name)->default_number > 0;
}

double setting_number(const json_t *data, const struct setting *table, const char *name)
{
    double number;
    return read_number(json_object_get(data, name), &number) ? number
                                                             : find(table, name)->default_number;
}

int setting_int(const json_t *data, const struct setting *table, const char *name)
{
    return (int)setting_number(data, table, name);
}

static const char *default_text(const struct setting *row)
{
    return row->default_text ? row->default_text : "";
}

const char *setting_text(const json_t *data, const struct setting *table, const char *name)
{
    const char *text = json_string_value(json_object_get(data, name));
    const struct setting *row = find(table, name);
    if (!text || (row->type == SETTING_CHOICE && !is_choice(row, text)))
        return default_text(row);
    return text;
}

int setting_choice(const json_t *data, const struct setting *table, const char *name)
{
    char scratch[32];
    const struct setting *row = find(table, name);
    const char *text = choice_text(json_object_get(data, name), scratch);
    int chosen = text ? index_of(row->choices, text) : -1;
    return chosen >= 0 ? chosen : index_of(row->choices, default_text(row));
}

static const char *const type_names[] = {
    [SETTING_BOOL] = "bool",     [SETTING_INT] = "int",       [SETTING_NUMBER] = "number",
    [SETTING_TEXT] = "text",     [SETTING_CHOICE] = "choice", [SETTING_LIST] = "list",
    [SETTING_OBJECT] = "object", [SETTING_COLORS] = "colors",
};

static json_t *default_value(const struct setting *s)
{
    switch (s->type) {
    case SETTING_BOOL:
        return json_boolean(s->default_number > 0);
    case SETTING_INT:
        return json_integer((json_int_t)s->default_number);
    case SETTING_NUMBER:
        return json_real(s->default_number);
    case SETTING_LIST:
        return json_array();
    case SETTING_OBJECT:
    case SETTING_COLORS:
        return json_object();
    default:
        return json_string(s->default_text ? s->default_text : "");
    }
}

static json_t *describe(const struct setting *s)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:o, s:b}", "name", s->name, "label", s->label,
                            "help", s->help, "type", type_names[s->type], "default",
                            default_value(s), "required", (int)s->required);
    if (s->group)
        json_object_set_new(row, "group", json_string(s->group));
    if (s->unit)
        json_object_set_new(row, "unit", json_string(s->unit));
    if (s->min < s->max) {
        json_object_set_new(row, "min", json_real(s->min));
        json_object_set_new(row, "max", json_real(s->max));
    }
    if (s->step > 0)
        json_object_set_new(row, "step", json_real(s->step));
    if (s->choices) {
        json_t *choices = json_array();
        for (const char *const *choice = s->choices; *choice; choice++)
            json_array_append_new(choices, json_string(*choice));
        json_object_set_new(row, "choices", choices);
    }
    return row;
}

json_t *settings_describe(const struct setting *table)
{
    json_t *rows = json_array();
    for (const struct setting *s = table; s->name; s++)
        json_array_append_new(rows, describe(s));
    return rows;
}
