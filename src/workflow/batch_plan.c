#include "workflow/batch_plan.h"

#include <stdbool.h>
#include <string.h>

/* A run is worth it when it is shorter by so much; twice the pictures in more than this part of
 * twice the time promise nothing for more of them. */
static const double worth = 0.9, hopeless = 0.95;

void batch_plan_init(struct batch_plan *plan, int least, int most)
{
    *plan = (struct batch_plan){.least = least, .most = most};
}

static bool is_due(const struct batch_plan *plan, int size, int64_t now_us)
{
    return plan->sizes[size].count < BATCH_SAMPLES ||
           now_us - plan->sizes[size].measured_us > BATCH_RETRY_US;
}

static double median_us(const struct batch_plan *plan, int size)
{
    int64_t sorted[BATCH_SAMPLES];
    for (int i = 0; i < BATCH_SAMPLES; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > plan->sizes[size].took_us[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = plan->sizes[size].took_us[i];
    }
    const int64_t middle_us = sorted[BATCH_SAMPLES / 2];
    return (double)middle_us;
}

int batch_plan_choose(const struct batch_plan *plan, int waiting, int64_t now_us)
{
    int most = waiting < plan->most ? waiting : plan->most;
    if (plan->least > 1 || most == 1)
        return most;
    int best = 1;
    double before_us = 0, best_age_us = 0;
    for (int size = 0; size < BATCH_SIZES && 1 << size <= most; size++) {
        int pictures = 1 << size;
        if (is_due(plan, size, now_us))
            return pictures;
        double took_us = median_us(plan, size);
        double age_us = took_us * (1 + (double)waiting / (2 * pictures));
        if (size == 0)
            best_age_us = worth * age_us;
        if (size > 0 && age_us < best_age_us) {
            best_age_us = age_us;
            best = pictures;
        }
        if (size > 0 && took_us > 2 * hopeless * before_us)
            break;
        before_us = took_us;
    }
    return best;
}

void batch_plan_record(struct batch_plan *plan, int pictures, int64_t took_us, int64_t now_us)
{
    for (int size = 0; size < BATCH_SIZES; size++) {
        if (1 << size != pictures)
            continue;
        if (now_us - plan->sizes[size].measured_us > BATCH_RETRY_US)
            plan->sizes[size].count = 0;
        memmove(plan->sizes[size].took_us + 1, plan->sizes[size].took_us,
                (BATCH_SAMPLES - 1) * sizeof took_us);
        plan->sizes[size].took_us[0] = took_us;
        plan->sizes[size].measured_us = now_us;
        if (plan->sizes[size].count < BATCH_SAMPLES)
            plan->sizes[size].count++;
    }
}

void batch_plan_fail(struct batch_plan *plan, int pictures)
{
    plan->most = pictures / 2 > 1 ? pictures / 2 : 1;
}
