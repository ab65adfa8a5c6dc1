/* Tries whether a source gives pictures. */
#ifndef OW_WORKFLOW_SOURCE_PROBE_H
#define OW_WORKFLOW_SOURCE_PROBE_H

#include "source/source.h"

#include <stdatomic.h>

/* Opens an address and waits until the first picture is there and its rate is known, at most
 * `wait_us`, of these 1.5 s for the rate. A file, given by its whole path, states its rate
 * (nominal_fps), and is tried once only. OW_OK with its state; OW_ETIMEOUT: none came, and the
 * state says what is known; OW_EINVAL: an address that cannot be understood; OW_ECLOSED: `stop`
 * (may be NULL) became true. The source is closed again, which may take 2 s more. */
int source_probe(const char *url, int64_t wait_us, const atomic_bool *stop,
                 struct source_status *out, struct reason *why);

#endif
