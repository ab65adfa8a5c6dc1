#include "workflow/nodes/view_settings.h"

#include <string.h>

const char *const view_sync_choices[] = {"predict", "sync", NULL};

void view_settings_configure(const json_t *data, const struct setting *table,
                             struct view_settings *out)
{
    *out = (struct view_settings){
        .predict = strcmp(setting_text(data, table, "boxTiming"), "predict") == 0,
        .width = setting_int(data, table, "width"),
        .max_fps = setting_number(data, table, "maxFps"),
        .jpeg_quality = setting_int(data, table, "quality"),
    };
}
