/* Records a view: while somebody wants it, around events, or always. It keeps the last seconds, so
 * that a recording shows what came before an event.
 *
 * The pictures come from an encoding of their own (view_track.h), which no viewer's path slows
 * down. A thread of its own writes them, from a queue of a bounded number of bytes: when the disk
 * is slow, pictures are left out up to the next key frame, and nobody waits. The thread is there
 * from the first wish on. Any thread may call. */
#ifndef OW_WORKFLOW_RECORDER_H
#define OW_WORKFLOW_RECORDER_H

#include "record/record_plan.h"
#include "workflow/recording.h"

#include <jansson.h>

struct recorder;

/* The folder is lent; the rest is copied. */
int recorder_create(struct recorder **out, struct record_folder *folder,
                    const struct recording_subject *subject);
void recorder_set_rules(struct recorder *recorder, const struct record_rules *rules);
void recorder_set_label(struct recorder *recorder, const char *label);
/* The name of the view's layout, a constant, for recordings that begin from now on. */
void recorder_set_layout(struct recorder *recorder, const char *layout);
/* Somebody wants a recording from now on, or no more. */
void recorder_set_by_hand(struct recorder *recorder, bool on);
/* Are pictures to be encoded for it? */
bool recorder_needs_pictures(struct recorder *recorder);

/* A picture and what is known of it; takes references of its own. Never waits. */
void recorder_put(struct recorder *recorder, const struct record_item *picture);
/* So many objects come to the recorder in a result of this capture time, from that node. */
void recorder_result(struct recorder *recorder, const char *node_id, int64_t capture_us, int count);
/* Something happened: its type ("zone_event", static), and an object that tells of it, lent. */
void recorder_event(struct recorder *recorder, int64_t capture_us, const char *type,
                    const json_t *object);

enum recorder_state {
    RECORDER_OFF,
    RECORDER_READY, /* keeps the last seconds, and waits for something to happen */
    RECORDER_RECORDING,
    RECORDER_FAILED, /* it should record, but cannot: `error` */
};

struct recorder_status {
    enum recorder_state state;
    bool by_hand;
    struct recording_figures figures; /* of the recording being written, or the last one */
    char error[200];
};
void recorder_read_status(struct recorder *recorder, struct recorder_status *out);

/* {"state": "off", "ready", "recording" or "error", "by_hand", "name", "seconds", "bytes",
 * "events", "lost", "error"}; NULL when out of memory. */
json_t *recorder_describe(const struct recorder_status *status);

/* Ends what is being written; later calls do nothing. */
void recorder_stop(struct recorder *recorder);
void recorder_destroy(struct recorder **recorder);

#endif
