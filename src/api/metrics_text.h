/* Writes Prometheus' text format (version 0.0.4): families of samples, each with its labels. */
#ifndef OW_API_METRICS_TEXT_H
#define OW_API_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct metrics_text { /* zeroed before use */
    char *data;       /* to be freed; NULL = nothing yet */
    size_t size, room;
    bool failed; /* out of memory: `data` is not whole */
    const char *family;
};

struct metrics_label {
    const char *name, *value;
};

/* Begins a family: its samples follow, before the next one begins. `type` is gauge, counter or
 * histogram. `name` and `help` are lent until the next family. */
void metrics_family(struct metrics_text *text, const char *name, const char *type,
                    const char *help);
/* A sample of it; `labels` ends with a NULL name, NULL = none. `suffix` is "" but for the parts of
 * a histogram. */
void metrics_sample(struct metrics_text *text, const char *suffix,
                    const struct metrics_label *labels, double value);

#endif
