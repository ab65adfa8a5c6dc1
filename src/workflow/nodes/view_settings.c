#include "workflow/nodes/view_settings.h"

#include <stdlib.h>
#include <string.h>

const char *const view_sync_choices[] = {"predict", "sync", NULL};
const char *const view_layout_choices[] = {[VIEW_XRAY] = "xray",
                                           [VIEW_ORIGINAL] = "original",
                                           [VIEW_SIDE_BY_SIDE] = "side-by-side",
                                           [VIEW_CLEAN] = "clean",
                                           NULL};

void view_settings_configure(const json_t *data, const struct setting *table,
                             struct view_settings *out)
{
    *out = (struct view_settings){
        .layout = (enum view_layout)setting_choice(data, table, "layout"),
        .predict = strcmp(setting_text(data, table, "boxTiming"), "predict") == 0,
        .width = setting_int(data, table, "width"),
        .max_fps = setting_number(data, table, "maxFps"),
        .focus = setting_number(data, table, "focusObjects"),
        .jpeg_quality = setting_int(data, table, "quality"),
        .renditions = RENDITION_SHARED,
        .rendition_rates = {1, 0.4, 0.16},
        .rendition_widths = {1, 0.66, 0.5},
    };
}

int view_settings_parse_parts(const char *name, const char *text, double parts[RENDITION_SHARED],
                              struct reason *why)
{
    double parsed[RENDITION_SHARED], above = 100;
    int count = 0;
    const char *at = text + strspn(text, " ");
    while (*at) {
        char *end;
        double percent = count < RENDITION_SHARED ? strtod(at, &end) : 0;
        if (!(percent >= 1 && percent <= above))
            goto wrong;
        parsed[count++] = percent / 100;
        above = percent;
        end += strspn(end, " ");
        if (*end == ',' && end[1])
            at = end + 1 + strspn(end + 1, " ");
        else if (*end == '\0')
            at = end;
        else
            goto wrong;
    }
    memcpy(parts, parsed, (size_t)count * sizeof parsed[0]);
    return OW_OK;
wrong:
    return reason_set(why, OW_EINVAL,
                      "%s is \"%.40s\", but must be up to %d falling percentages from 100 to 1, "
                      "like \"100,40,16\"",
                      name, text, RENDITION_SHARED);
}
