#include "net/ladder.h"

void ladder_init(struct ladder *ladder, const struct ladder_settings *settings)
{
    *ladder = (struct ladder){.settings = *settings};
}

void ladder_join(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    viewer->target_bps = ladder->settings.start_bps;
    viewer->rung = 0;
    viewer->since_us = now_us;
    ladder->viewers[0]++;
}

void ladder_leave(struct ladder *ladder, struct ladder_viewer *viewer)
{
    ladder->viewers[viewer->rung]--;
}

bool ladder_set_target(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us,
                       int target_bps)
{
    (void)ladder;
    (void)now_us;
    viewer->target_bps = target_bps;
    return false;
}

bool ladder_review(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    (void)ladder;
    (void)viewer;
    (void)now_us;
    return false;
}

bool ladder_is_lone(const struct ladder *ladder)
{
    return ladder->viewers[0] == 1;
}

void ladder_plan(const struct ladder *ladder, int rung, int least_target_bps,
                 struct rendition_plan *out)
{
    *out =
        (struct rendition_plan){.viewers = ladder->viewers[rung], .target_bps = least_target_bps};
}
