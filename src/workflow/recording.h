/* One recording being written: name.mp4 with the pictures, name.jsonl with what is known of them,
 * one line each (docs/api.md, "Recordings"). One thread at a time; writing may block as long as the
 * disk takes. */
#ifndef OW_WORKFLOW_RECORDING_H
#define OW_WORKFLOW_RECORDING_H

#include "record/record_folder.h"
#include "record/record_queue.h"

struct recording;

/* What is recorded; copied. */
struct recording_subject {
    const char *node_id, *workflow_id, *workflow_name, *label;
    const char *layout;  /* of the view */
    const char *trigger; /* what began it: one of record_when_names */
};

/* Begins with this picture, a key frame, which is still to be added. OW_EIO with a sentence. */
int recording_begin(struct recording **out, struct record_folder *folder,
                    const struct recording_subject *subject, const struct encoded *first,
                    struct reason *why);
/* May this key frame follow in the same recording? */
bool recording_fits(const struct recording *recording, const struct encoded *key);
/* Takes references of its own. After a failure it can only be ended. Once a second what came is on
 * the disk. */
int recording_add(struct recording *recording, const struct record_item *item, struct reason *why);
/* Something happened at a capture time: its type ("zone_event"), and a JSON object of one line. */
void recording_note(struct recording *recording, int64_t at_us, const char *type,
                    const char *object);
/* Ends it, the last picture lasts until `end_us`. `why_ended` is told in the lines, NULL = as was
 * wanted. */
void recording_end(struct recording **recording, int64_t end_us, const char *why_ended);

struct recording_figures {
    char name[RECORD_NAME_BYTES];
    double seconds;
    uint64_t bytes;
    int pictures, events;
    unsigned lost; /* pictures that came faster than they could be written */
};
void recording_read(const struct recording *recording, struct recording_figures *out);

#endif
