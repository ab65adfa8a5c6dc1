#include "xray/scheme.h"

#include <stdio.h>
#include <string.h>

static const struct rgb white = {0xf4, 0xf6, 0xf8};

static bool find_custom(const struct xray_style *style, const char *name, int class_id,
                        struct rgb *out)
{
    char id[16];
    snprintf(id, sizeof id, "%d", class_id);
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
    const char *name = label_set_name(labels, class_id, scratch);
    if (find_custom(style, name, class_id, &color))
        return color;
    if (style->scheme == XRAY_SCHEME_CLASS_SPECIFIC && palette_known(name, &color))
        return color;
    return palette_class(class_id);
}

struct rgb scheme_color(const struct xray_style *style, const struct label_set *labels,
                        const struct detection *item)
{
    switch (style->scheme) {
    case XRAY_SCHEME_CONFIDENCE:
        return palette_confidence(item->confidence);
    case XRAY_SCHEME_THERMAL:
        return palette_thermal(item->confidence);
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

struct rgb scheme_heat(const struct xray_style *style, float heat)
{
    if (style->scheme == XRAY_SCHEME_MONOCHROME)
        return white;
    return style->scheme == XRAY_SCHEME_NEON ? palette_glow(heat) : palette_thermal(heat);
}
