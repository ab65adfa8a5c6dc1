#include "encode/rate_trim.h"

#include <math.h>

static const double memory_s = 1.5;     /* pictures older than this count for a third */
static const double settled = 0.35;     /* of the memory filled before anything is concluded */
static const double aim = 0.97;         /* of the wanted rate */
static const double content_left = 0.6; /* below, the picture has nothing more to spend bits on */
static const double step = 0.02;        /* smaller changes are not told */

void rate_trim_reset(struct rate_trim *trim)
{
    *trim = (struct rate_trim){.factor = 1};
}

bool rate_trim_add(struct rate_trim *trim, size_t bytes, double wanted_bps, double fps)
{
    double kept = exp(-1 / (memory_s * fps)), share = wanted_bps / fps;
    trim->made = trim->made * kept + 8.0 * (double)bytes;
    trim->wanted = trim->wanted * kept + share;
    trim->told = trim->told * kept + share * trim->factor;
    if (trim->wanted < settled * memory_s * wanted_bps)
        return false;
    double part = trim->made / trim->told; /* of what it was told, this is what it makes */
    double factor = part < content_left ? 1 : fmin(fmax(aim / part, 1), RATE_TRIM_MOST);
    if (fabs(factor - trim->factor) < step)
        return false;
    trim->factor = factor;
    return true;
}
