#include "vision/model_sidecar.h"

#include "vision/model_names.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1024 * 1024, SIDE_MAX = 4096 };

static const char *const placement_names[] = {
    [PLACEMENT_CENTRE] = "centre",
    [PLACEMENT_TOP_LEFT] = "top-left",
    [PLACEMENT_STRETCH] = "stretch",
    [PLACEMENT_CROP] = "crop",
};

/* ---- members: each handler returns NULL, or what is wanted instead ---- */

static const char *read_decoder(struct model_sidecar *out, const json_t *value)
{
    const char *name = json_string_value(value);
    if (name == NULL || strlen(name) >= sizeof out->decoder || !model_family_exists(name))
        return "the name of a decoder (docs/models.md)";
    memcpy(out->decoder, name, strlen(name) + 1);
    return NULL;
}

static const char *read_classes(struct model_sidecar *out, const json_t *value)
{
    static const char wanted[] = "a list of names";
    size_t count = json_array_size(value);
    if (count == 0 || count > MODEL_NAMES_MAX)
        return wanted;
    const char **names = calloc(count, sizeof *names);
    if (names == NULL)
        return "less memory";
    const char *problem = NULL;
    for (size_t i = 0; i < count && problem == NULL; i++) {
        names[i] = json_string_value(json_array_get(value, i));
        if (names[i] == NULL)
            problem = wanted;
    }
    if (problem == NULL && label_set_create(&out->labels, names, (int)count) != OW_OK)
        problem = "less memory";
    free(names);
    return problem;
}

static bool read_side(const json_t *value, int *out)
{
    json_int_t side = json_is_integer(value) ? json_integer_value(value) : 0;
    *out = (int)side;
    return side >= 32 && side <= SIDE_MAX;
}

static const char *read_size(struct model_sidecar *out, const json_t *value)
{
    const json_t *width = json_is_array(value) ? json_array_get(value, 0) : value;
    const json_t *height = json_is_array(value) ? json_array_get(value, 1) : value;
    bool fits = !json_is_array(value) || json_array_size(value) == 2;
    return fits && read_side(width, &out->width) && read_side(height, &out->height)
               ? NULL
               : "a side or [width, height], each 32 to 4096";
}

static const char *read_placement(struct model_sidecar *out, const json_t *value)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name != NULL && i < sizeof placement_names / sizeof *placement_names; i++)
        if (strcmp(name, placement_names[i]) == 0) {
            out->format.placement = (enum picture_placement)i;
            out->has_placement = true;
            return NULL;
        }
    return "\"centre\", \"top-left\", \"stretch\" or \"crop\"";
}

static const char *read_order(struct model_sidecar *out, const json_t *value)
{
    const char *name = json_string_value(value);
    if (name == NULL || (strcmp(name, "rgb") != 0 && strcmp(name, "bgr") != 0))
        return "\"rgb\" or \"bgr\"";
    out->format.bgr = strcmp(name, "bgr") == 0;
    out->has_order = true;
    return NULL;
}

static bool read_number(const json_t *value, double low, double high, float *out)
{
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    *out = (float)number;
    return number >= low && number <= high; /* a NaN fails */
}

/* One number for all channels, or three. */
static bool read_channels(const json_t *value, double low, double high, float out[3])
{
    bool is_list = json_is_array(value);
    bool fits = !is_list || json_array_size(value) == 3;
    for (size_t c = 0; c < 3 && fits; c++)
        fits = read_number(is_list ? json_array_get(value, c) : value, low, high, &out[c]);
    return fits;
}

static const char *read_mean(struct model_sidecar *out, const json_t *value)
{
    out->has_values = true;
    return read_channels(value, -1000, 1000, out->format.mean) ? NULL
                                                               : "a number or three, as of 0..255";
}

static const char *read_std(struct model_sidecar *out, const json_t *value)
{
    out->has_values = true;
    return read_channels(value, 1e-3, 1e5, out->format.std)
               ? NULL
               : "a number or three above 0, as of 0..255";
}

static const char *read_border(struct model_sidecar *out, const json_t *value)
{
    out->has_border = true;
    return read_number(value, 0, 255, &out->format.border) ? NULL : "a number from 0 to 255";
}

static const char *read_confidence(struct model_sidecar *out, const json_t *value)
{
    return read_number(value, 1e-3, 1, &out->confidence) ? NULL : "a number from 0.001 to 1";
}

static const char *read_iou(struct model_sidecar *out, const json_t *value)
{
    return read_number(value, 1e-3, 1, &out->iou) ? NULL : "a number from 0.001 to 1";
}

static const char *read_anchors(struct model_sidecar *out, const json_t *value)
{
    static const char wanted[] = "a flat list of widths and heights in pixels, at most 24 numbers";
    size_t count = json_array_size(value);
    if (count == 0 || count > LAYOUT_MAX_ANCHORS || count % 2 != 0)
        return wanted;
    for (size_t i = 0; i < count; i++)
        if (!read_number(json_array_get(value, i), 0.1, SIDE_MAX, &out->anchors[i]))
            return wanted;
    out->anchor_count = (int)count;
    return NULL;
}

static const struct member {
    const char *name;
    const char *(*read)(struct model_sidecar *out, const json_t *value);
} members[] = {
    {"decoder", read_decoder}, {"classes", read_classes},
    {"size", read_size},       {"letterbox", read_placement},
    {"order", read_order},     {"mean", read_mean},
    {"std", read_std},         {"border", read_border},
    {"anchors", read_anchors}, {"confidence", read_confidence},
    {"iou", read_iou},
};

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(name, members[i].name) == 0)
            return &members[i];
    return NULL;
}

/* What is said in 0..255 becomes what is meant in 0..1. */
static void normalise(struct picture_format *format)
{
    for (int c = 0; c < 3; c++) {
        format->mean[c] /= 255.0F;
        format->std[c] /= 255.0F;
    }
    format->border /= 255.0F;
}

static int read_members(struct model_sidecar *out, json_t *object, struct reason *why)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value)
    {
        const struct member *member = find_member(name);
        if (member == NULL)
            return reason_set(why, OW_EPARSE, "\"%.40s\" is not known", name);
        const char *wanted = member->read(out, value);
        if (wanted != NULL)
            return reason_set(why, OW_EPARSE, "\"%s\" has to be %s", name, wanted);
    }
    return OW_OK;
}

int model_sidecar_parse(struct model_sidecar *out, const char *text, size_t size,
                        struct reason *why)
{
    json_error_t error;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    struct model_sidecar sidecar = {.format = {.std = {1.0F, 1.0F, 1.0F}}};
    int result = OW_OK;
    if (object == NULL)
        result = reason_set(why, OW_EPARSE, "line %d: %s", error.line, error.text);
    else if (!json_is_object(object))
        result = reason_set(why, OW_EPARSE, "it has to be a JSON object");
    else
        result = read_members(&sidecar, object, why);
    json_decref(object);
    normalise(&sidecar.format);
    if (result == OW_OK)
        *out = sidecar;
    else
        model_sidecar_clear(&sidecar);
    return result;
}

static int read_file(FILE *file, const char *path, struct model_sidecar *out, struct reason *why)
{
    struct reason detail = {""};
    char *text = malloc(FILE_BYTES_MAX + 1);
    if (text == NULL)
        return reason_set(why, OW_ENOMEM, "out of memory");
    size_t size = fread(text, 1, FILE_BYTES_MAX + 1, file);
    int result = OW_OK;
    if (ferror(file))
        result = reason_set(&detail, OW_EIO, "%s", strerror(errno));
    else if (size > FILE_BYTES_MAX)
        result = reason_set(&detail, OW_ETOOLARGE, "it is larger than 1 MB");
    else
        result = model_sidecar_parse(out, text, size, &detail);
    free(text);
    return result == OW_OK ? OW_OK
                           : reason_set(why, result, "the model's file %.140s cannot be used: %s",
                                        path, detail.text);
}

void model_sidecar_path(const char *model_path, char out[PATH_MAX])
{
    static const char ending[] = ".onnx";
    size_t stem = strlen(model_path);
    if (stem > sizeof ending - 1 && strcmp(model_path + stem - (sizeof ending - 1), ending) == 0)
        stem -= sizeof ending - 1;
    if (snprintf(out, PATH_MAX, "%.*s.json", (int)stem, model_path) >= PATH_MAX)
        out[0] = '\0'; /* the model's own path is too long, which opening it says */
}

int model_sidecar_load(struct model_sidecar *out, const char *model_path, struct reason *why)
{
    char path[PATH_MAX];
    model_sidecar_path(model_path, path);
    *out = (struct model_sidecar){0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno == ENOENT || errno == ENOTDIR
                   ? OW_OK
                   : reason_set(why, OW_EIO, "the model's file %.140s cannot be read: %s", path,
                                strerror(errno));
    int result = read_file(file, path, out, why);
    fclose(file);
    return result;
}

void model_sidecar_apply(const struct model_sidecar *sidecar, struct picture_format *format,
                         struct output_layout *layout)
{
    if (sidecar->has_placement)
        format->placement = sidecar->format.placement;
    if (sidecar->has_order)
        format->bgr = sidecar->format.bgr;
    if (sidecar->has_border)
        format->border = sidecar->format.border;
    if (sidecar->has_values)
        for (int c = 0; c < 3; c++) {
            format->mean[c] = sidecar->format.mean[c];
            format->std[c] = sidecar->format.std[c];
        }
    if (sidecar->anchor_count > 0) {
        memcpy(layout->anchors, sidecar->anchors, sizeof layout->anchors);
        layout->assumed = NULL;
    }
}

void model_sidecar_clear(struct model_sidecar *sidecar)
{
    label_set_unref(&sidecar->labels);
    *sidecar = (struct model_sidecar){0};
}
