#include "workflow/view_style.h"

#include "core/metadata.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 6 };

unsigned view_style_hides(const struct xray_style *style)
{
    return (style->show_boxes ? 0u : METADATA_HIDES_BOXES) |
           (style->show_labels ? 0u : METADATA_HIDES_NAMES) |
           (style->show_confidence ? 0u : METADATA_HIDES_CONFIDENCE) |
           (style->show_track_ids ? 0u : METADATA_HIDES_TRACKS) |
           (style->show_masks || style->show_contours ? 0u : METADATA_HIDES_MASKS);
}

static json_t *describe_hides(const struct xray_style *style)
{
    static const char *const parts[] = {"boxes", "names", "confidence", "tracks", "masks"};
    unsigned hides = view_style_hides(style);
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if ((hides >> i & 1) != 0)
            json_array_append_new(list, json_string(parts[i]));
    if (!style->show_zones)
        json_array_append_new(list, json_string("zones"));
    return list;
}

/* In the order in which they are looked at. */
static json_t *describe_colors(const struct xray_style *style)
{
    json_t *list = json_array();
    int count = xray_takes_own_colors(style) ? style->custom_count : 0;
    for (int i = 0; i < count; i++) {
        const struct xray_custom_color *custom = &style->custom[i];
        char color[8];
        snprintf(color, sizeof color, "#%02x%02x%02x", custom->color.r, custom->color.g,
                 custom->color.b);
        json_array_append_new(list, json_pack("[s, s]", custom->name, color));
    }
    return list;
}

void view_style_tell(const struct xray_style *style, struct shared_text **look)
{
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:f}", "color_scheme", xray_scheme_name(style->scheme), "colors",
                  describe_colors(style), "hides", describe_hides(style), "min_confidence",
                  (double)style->min_confidence);
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
    struct shared_text *now = text ? shared_text_create(text) : NULL;
    (void)shared_text_follow(look, now, "");
    shared_text_unref(&now);
    free(text);
    json_decref(object);
}
