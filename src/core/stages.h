/* The stations a frame passes, in order. Every stage stamps clock_now_us() at its own station; the
 * differences are what /performance, the metrics and the page's latency strip show. 0 = not passed.
 */
#ifndef OW_CORE_STAGES_H
#define OW_CORE_STAGES_H

#include <stdint.h>

enum stage {
    STAGE_CAPTURE, /* the frame's first byte or packet was here; equals frame.capture_us */
    STAGE_DECODED,
    STAGE_INFER_START,
    STAGE_INFER_END,
    STAGE_DRAWN,
    STAGE_ENCODED,
    STAGE_COUNT
};

struct stage_times {
    int64_t at_us[STAGE_COUNT];
};

#endif
