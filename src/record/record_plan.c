#include "record/record_plan.h"

#include <stddef.h>

const char *const record_when_names[] = {[RECORD_BY_HAND] = "manual",
                                         [RECORD_EVENTS] = "events",
                                         [RECORD_DETECTIONS] = "detections",
                                         [RECORD_ALWAYS] = "always",
                                         NULL};

void record_plan_event(struct record_plan *plan, int64_t at_us)
{
    int64_t until_us = at_us + plan->rules.after_us;
    if (until_us > plan->until_us)
        plan->until_us = until_us;
}

bool record_plan_wants(const struct record_plan *plan, int64_t at_us)
{
    return plan->by_hand || plan->rules.when == RECORD_ALWAYS || at_us < plan->until_us;
}

bool record_plan_is_full(const struct record_plan *plan, int64_t at_us)
{
    return plan->open && plan->rules.max_us > 0 && at_us - plan->begun_us >= plan->rules.max_us;
}

bool record_plan_needs_pictures(const struct record_plan *plan)
{
    return plan->by_hand || plan->rules.when != RECORD_BY_HAND;
}

int64_t record_plan_ring_from(const struct record_plan *plan, int64_t now_us)
{
    bool rings = plan->rules.when == RECORD_EVENTS || plan->rules.when == RECORD_DETECTIONS;
    return now_us - (rings ? plan->rules.before_us : 0);
}
