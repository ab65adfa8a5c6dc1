/* When a view is to be recorded. Pure: time is an argument, in microseconds of capture. */
#ifndef OW_RECORD_RECORD_PLAN_H
#define OW_RECORD_RECORD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum record_when {
    RECORD_BY_HAND,    /* only while somebody wants it */
    RECORD_EVENTS,     /* around events */
    RECORD_DETECTIONS, /* as long as something is seen */
    RECORD_ALWAYS,
};
extern const char *const record_when_names[]; /* "manual", …; ends with NULL */

struct record_rules {
    enum record_when when;
    int64_t before_us, after_us; /* how much of the time around an event is kept */
    int64_t max_us;              /* of one file: then another one goes on; 0 = any */
    bool passing_counts;         /* that something begins to be seen is an event, too */
};

/* Zero-initialised: nothing is recorded. */
struct record_plan {
    struct record_rules rules;
    bool by_hand;     /* somebody wants it now */
    int64_t until_us; /* what events want */
    bool open;        /* a file is being written, */
    int64_t begun_us; /* since then */
};

/* Something happened: that is recorded, and what follows within after_us. */
void record_plan_event(struct record_plan *plan, int64_t at_us);
/* Is a picture captured then to be recorded? */
bool record_plan_wants(const struct record_plan *plan, int64_t at_us);
/* Is the file that is being written long enough for another one to go on? */
bool record_plan_is_full(const struct record_plan *plan, int64_t at_us);
/* Does this view have to be encoded, if only for the ring? */
bool record_plan_needs_pictures(const struct record_plan *plan);
/* From when on pictures are to be kept, in case that something happens now. */
int64_t record_plan_ring_from(const struct record_plan *plan, int64_t now_us);

#endif
