/* A filter between a model and what follows it: lets part of what was detected pass, or holds a
 * whole result back. Zones are filters that also watch who goes in and out.
 *
 * Reference counted; any thread may call. */
#ifndef OW_WORKFLOW_FILTER_H
#define OW_WORKFLOW_FILTER_H

#include "core/detections.h"
#include "core/error.h"
#include "workflow/zone.h"

#include <jansson.h>

enum filter_kind { FILTER_DETECTIONS, FILTER_ZONE };
enum { FILTER_ID_BYTES = 128, FILTER_NAME_BYTES = 64 };
enum filter_zone_pass { ZONE_PASS_INSIDE, ZONE_PASS_OUTSIDE, ZONE_PASS_ALL };

struct filter_settings {
    enum filter_kind kind;
    char id[FILTER_ID_BYTES];     /* of its node */
    char name[FILTER_NAME_BYTES]; /* for people */
    json_t *classes;              /* borrowed: ids or names; NULL or empty = all */
    bool exclude;                 /* all but these */
    float min_confidence;
    int min_count, max_count;  /* of what is left; outside of it nothing passes; max 0 = any */
    bool only_when_detections; /* nothing left: nothing passes, not even the picture */
    struct zone_shape shape;   /* of a zone, and the rest: */
    enum filter_zone_pass passes;
    struct zone_times times;
};

struct filter;

int filter_create(struct filter **out, const struct filter_settings *settings);
struct filter *filter_ref(struct filter *filter);
void filter_unref(struct filter **filter);
/* Other settings from now on; who is in a zone is found out anew when its shape changes. */
void filter_configure(struct filter *filter, const struct filter_settings *settings);

enum filter_verdict {
    FILTER_PASSES,
    FILTER_EMPTIES, /* nothing passes on: the picture is shown without any of it */
    FILTER_HOLDS    /* and the picture stands until something passes again */
};

/* What passes: *out is a new reference, empty unless FILTER_PASSES; NULL without memory. */
enum filter_verdict filter_apply(struct filter *filter, const struct detections *in,
                                 struct detections **out);
/* A newer result of the model and what became of it: counts it, and returns what happened in a
 * zone, up to `max` events. */
int filter_update(struct filter *filter, const struct detections *in, enum filter_verdict verdict,
                  int64_t now_us, struct zone_event *events, int max);

struct filter_status {
    enum filter_kind kind;
    uint64_t passed, held;       /* results; held: emptied, too */
    int64_t updated_us;          /* 0 = nothing came yet */
    enum filter_verdict verdict; /* on the last one */
    struct zone_counts zone;
};
void filter_read_status(struct filter *filter, struct filter_status *out);

/* What is to be shown of a zone. */
struct filter_zone {
    char id[FILTER_ID_BYTES];
    char name[FILTER_NAME_BYTES];
    struct zone_shape shape;
    struct zone_counts counts;
};
/* False for a filter that is no zone. */
bool filter_read_zone(struct filter *filter, struct filter_zone *out);

#endif
