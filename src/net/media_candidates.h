/* Where this server can be reached: the machine's addresses, the one by which the browser came, the
 * public one, what a STUN server saw, a relay's. Any thread; behind a lock of its own. */
#ifndef OW_NET_MEDIA_CANDIDATES_H
#define OW_NET_MEDIA_CANDIDATES_H

#include "core/error.h"
#include "rtc/sdp.h"

struct media_candidates;

struct media_candidates_settings {
    const char *bind_address;   /* NULL = all addresses */
    const char *public_address; /* NULL or "" = none */
    uint16_t port;
    bool tcp; /* there is a TCP listener on the port's number */
};

/* OW_EINVAL with a sentence for what is no address. */
int media_candidates_create(struct media_candidates **out,
                            const struct media_candidates_settings *settings, struct reason *why);
void media_candidates_destroy(struct media_candidates **candidates);

/* What a STUN server saw, or a relay's address; NULL = gone. True when that is news. */
bool media_candidates_set_reflexive(struct media_candidates *candidates,
                                    const struct address *address);
bool media_candidates_set_relayed(struct media_candidates *candidates,
                                  const struct address *address);
bool media_candidates_has_relay(struct media_candidates *candidates);

/* In order of hope, with priorities (RFC 8445 section 5.1.2.1). `via` is the local address by which
 * a browser came, NULL or ADDRESS_NONE = not known. Returns how many were written. */
int media_candidates_list(struct media_candidates *candidates, const struct address *via,
                          struct sdp_candidate *out, int max);

#endif
