/* ICE agent in the controlled role (RFC 8445, 8839), full or lite, with consent (RFC 7675). One
 * component, one local socket (the media port). Sans-IO: time is an argument, outputs are pulled,
 * nothing is called back. */
#ifndef OW_RTC_ICE_H
#define OW_RTC_ICE_H

#include "core/address.h"
#include "core/error.h"
#include "core/random.h"
#include "rtc/sdp.h"

struct ice_agent;

enum ice_state { ICE_NEW, ICE_CHECKING, ICE_CONNECTED, ICE_DISCONNECTED, ICE_FAILED, ICE_CLOSED };
const char *ice_state_name(enum ice_state state); /* the browser's words: "connected", … */

enum {
    ICE_UFRAG_CHARS = 8, /* 48 bits, RFC 8445 wants 24 */
    ICE_PWD_CHARS = 24,  /* 144 bits, RFC 8445 wants 128 */
    ICE_MAX_DATAGRAM = 1280,
};

struct ice_settings {
    bool lite;
    const char *remote_ufrag, *remote_pwd;
    bool remote_lite;
    struct random_source *random; /* lent for the agent's life */
};

/* The remote strings are copied. OW_EINVAL for empty or overlong ones, OW_EUNSUPPORTED when both
 * sides are lite. With a lite peer (and after a role conflict) the agent controls and nominates the
 * first pair that works. Call handle_timeout() at the deadline, which is at once. */
int ice_agent_create(struct ice_agent **out, const struct ice_settings *settings, int64_t now_us);
const char *ice_agent_ufrag(const struct ice_agent *agent);
const char *ice_agent_pwd(const struct ice_agent *agent);

/* A candidate from the offer or by trickle. More than a bounded number are ignored (OW_ELIMIT). */
int ice_agent_add_remote_candidate(struct ice_agent *agent, const struct sdp_candidate *candidate);

/* May addresses of ADDRESS_RELAY be checked? Then every signalled candidate is tried through the
 * relay, too, at a lower priority. Without one such pairs fail. */
void ice_agent_set_relay(struct ice_agent *agent, int64_t now_us, bool available);

/* Nothing can be sent to this address any more (a TCP connection that closed): its pair fails, and
 * another that works takes over at once. */
void ice_agent_forget(struct ice_agent *agent, int64_t now_us, const struct address *remote);

/* ICE restart (RFC 8445 section 9): new credentials on both sides; candidates are added anew. The
 * selected pair carries media until a pair of the new generation works, and checks with the old
 * credentials are answered until then. OW_EINVAL, OW_ENOMEM as ice_agent_create(); OW_ESTATE when
 * closed. A failed agent lives again. */
int ice_agent_restart(struct ice_agent *agent, int64_t now_us, const char *remote_ufrag,
                      const char *remote_pwd);

enum ice_generation { ICE_GENERATION_PRESENT, ICE_GENERATION_OLD, ICE_GENERATION_NEW };
/* Which generation the peer's credentials are of. "" matches any: then it is the present one, or
 * for the password alone that of the user fragment. */
enum ice_generation ice_agent_generation(const struct ice_agent *agent, const char *remote_ufrag,
                                         const char *remote_pwd);

/* Is this datagram STUN (RFC 7983: first byte 0..3, magic cookie)? */
bool ice_is_stun(const uint8_t *data, size_t size);

/* Reads the receiver's part of USERNAME ("local:remote") of a binding request, without verifying
 * anything, so that a server can route a first packet. Writes a NUL-terminated local ufrag.
 * OW_EPARSE. */
int ice_peek_local_ufrag(const uint8_t *data, size_t size, char *ufrag, size_t ufrag_size);

/* A STUN datagram. What is not authentic is dropped in silence; the return code says why, for the
 * counters: OW_EPARSE malformed, OW_ENOTFOUND not our user fragment or not our transaction,
 * OW_EAUTH wrong or no integrity, OW_EINVAL an address that cannot be, OW_ELIMIT no room,
 * OW_ESTATE failed or closed. A request with unknown mandatory attributes or our own role is
 * answered with an error, which is OW_OK. */
int ice_agent_receive(struct ice_agent *agent, int64_t now_us, const struct address *from,
                      const uint8_t *data, size_t size);

void ice_agent_handle_timeout(struct ice_agent *agent, int64_t now_us);
int64_t ice_agent_deadline(const struct ice_agent *agent); /* INT64_MAX = none */

/* Pulls the next datagram to send. OW_OK with its size in *size (data holds ICE_MAX_DATAGRAM
 * bytes), OW_EAGAIN when there is none. */
int ice_agent_poll(struct ice_agent *agent, struct address *to, uint8_t *data, size_t *size);

enum ice_state ice_agent_state(const struct ice_agent *agent);
/* The pair in use: where media goes. NULL before there is a valid pair. In the controlled role it
 * is the highest nominated pair, or before nomination any pair that has been checked both ways. */
const struct address *ice_agent_selected(const struct ice_agent *agent);
/* May datagrams other than STUN be accepted from this address? Only from addresses on which a check
 * with valid integrity, or an authenticated answer to our own, was received (CVE-2023-51443 and its
 * kind). */
bool ice_agent_is_validated(const struct ice_agent *agent, const struct address *from);
int64_t ice_agent_round_trip_us(const struct ice_agent *agent); /* 0 = not known yet */

/* Nothing is sent or accepted any more; the state is ICE_CLOSED (or stays ICE_FAILED). */
void ice_agent_close(struct ice_agent *agent);

void ice_agent_destroy(struct ice_agent **agent);

#endif
