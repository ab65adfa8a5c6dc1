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

static int check_choice(const struct setting *s, const json_t *value, struct reason *why)
{
    char number[32] = "";
    const char *text = json_string_value(value);
    if (json_is_number(value)) {
        snprintf(number, sizeof number, "%g", json_number_value(value));
        text = number;
    }
    for (const char *const *choice = s->choices; text && *choice; choice++)
        if (strcmp(*choice, text) == 0)
            return OW_OK;
    char allowed[200] = "";
    for (const char *const *choice = s->choices; *choice; choice++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", *choice);
    }
    return reason_set(why, OW_EINVAL, "%s is \"%.40s\", but must be one of: %s", s->name,
                      text ? text : "(not a text)", allowed);
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

const char *setting_text(const json_t *data, const struct setting *table, const char *name)
{
    const char *text = json_string_value(json_object_get(data, name));
    const struct setting *row = find(table, name);
    if (text)
        return text;
    return row->default_text ? row->default_text : "";
}

static const char *const type_names[] = {
    [SETTING_BOOL] = "bool",     [SETTING_INT] = "int",       [SETTING_NUMBER] = "number",
    [SETTING_TEXT] = "text",     [SETTING_CHOICE] = "choice", [SETTING_LIST] = "list",
    [SETTING_OBJECT] = "object",
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
