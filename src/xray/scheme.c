#include "xray/scheme.h"

#include <stdio.h>
#include <string.h>

static const struct rgb white = {0xf4, 0xf6, 0xf8};

bool xray_takes_own_colors(const struct xray_style *style)
{
    return style->scheme == XRAY_SCHEME_DEFAULT || style->scheme == XRAY_SCHEME_CLASS_SPECIFIC;
}

bool xray_own_color(const struct xray_style *style, const struct label_set *labels, int class_id,
                    struct rgb *out)
{
    char id[16], scratch[16];
    if (!xray_takes_own_colors(style))
        return false;
    snprintf(id, sizeof id, "%d", class_id);
    const char *name = label_set_name(labels, class_id, scratch);
    for (int i = 0; i < style->custom_count; i++) {
        const char *key = style->custom[i].name;
        if (strcmp(key, name) != 0 && strcmp(key, id) != 0)
            continue;
        *out = style->custom[i].color;
        return true;
    }
    return false;
}

static struct rgb class_color(const struct xray_style *style, const struct label_set *labels,
                              int class_id)
{
    char scratch[16];
    struct rgb color;
    if (xray_own_color(style, labels, class_id, &color))
        return color;
    if (style->scheme == XRAY_SCHEME_CLASS_SPECIFIC &&
        palette_known(label_set_name(labels, class_id, scratch), &color))
        return color;
    return palette_class(class_id);
}

struct rgb scheme_confidence(const struct xray_style *style, float confidence)
{
    return style->scheme == XRAY_SCHEME_THERMAL ? palette_thermal(confidence)
                                                : palette_confidence(confidence);
}

struct rgb scheme_color(const struct xray_style *style, const struct label_set *labels,
                        const struct detection *item)
{
    switch (style->scheme) {
    case XRAY_SCHEME_CONFIDENCE:
    case XRAY_SCHEME_THERMAL:
        return scheme_confidence(style, item->confidence);
    case XRAY_SCHEME_NEON:
        return palette_neon(item->class_id);
    case XRAY_SCHEME_MONOCHROME:
        return white;
    case XRAY_SCHEME_DEFAULT:
    case XRAY_SCHEME_CLASS_SPECIFIC:
        break;
    }
    return class_color(style, labels, item->class_id);
}

struct body_colors scheme_body(const struct xray_style *style, struct rgb object)
{
    static const struct rgb warm = {0xff, 0xa7, 0x26}, cool = {0xc0, 0x6b, 0xff};
    static const struct rgb neon_green = {0x39, 0xff, 0x14}, neon_pink = {0xff, 0x2b, 0xd6};
    static const struct rgb light = {0xff, 0xff, 0xff}, dark = {0x00, 0x00, 0x00};
    switch (style->scheme) {
    case XRAY_SCHEME_CONFIDENCE:
    case XRAY_SCHEME_THERMAL:
    case XRAY_SCHEME_MONOCHROME: /* the colour says something else: shades of it */
        return (struct body_colors){palette_mix(object, dark, 0.15f),
                                    palette_mix(object, light, 0.5f),
                                    palette_mix(object, dark, 0.4f)};
    case XRAY_SCHEME_NEON:
        return (struct body_colors){object, neon_green, neon_pink};
    case XRAY_SCHEME_DEFAULT:
    case XRAY_SCHEME_CLASS_SPECIFIC:
        break;
    }
    return (struct body_colors){object, warm, cool};
}

struct rgb scheme_zone(const struct xray_style *style, int index)
{
    switch (style->scheme) {
    case XRAY_SCHEME_MONOCHROME:
        return white;
    case XRAY_SCHEME_NEON:
        return palette_neon(index + 3);
    default:
        return palette_zone(index);
    }
}

struct rgb scheme_heat(const struct xray_style *style, float heat)
{
    if (style->scheme == XRAY_SCHEME_MONOCHROME)
        return white;
    return style->scheme == XRAY_SCHEME_NEON ? palette_glow(heat) : palette_thermal(heat);
}
