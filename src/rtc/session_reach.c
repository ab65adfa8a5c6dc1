/* How a session is reached, as far as that changes after offer and answer: trickled candidates, ICE
 * restart, a relay that comes and goes. The answer is kept true: what is found later is added to
 * it, and a restart is answered out of it. */
#include "rtc/sdp_fragment.h"
#include "rtc/session_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char candidate_line[] = "a=candidate:", end_line[] = "a=end-of-candidates\r\n";

static bool is_open(const struct rtc_session *session)
{
    return session->phase == PHASE_CONNECTING || session->phase == PHASE_CONNECTED;
}

/* ---- our side ---- */

static int count_candidates(const char *answer)
{
    int count = 0;
    for (const char *at = answer; (at = strstr(at, candidate_line)); at++)
        count++;
    return count;
}

int rtc_session_add_local_candidate(struct rtc_session *session,
                                    const struct sdp_candidate *candidate)
{
    char text[SDP_CANDIDATE_TEXT_BYTES], line[SDP_CANDIDATE_TEXT_BYTES + 4];
    sdp_write_candidate(text, candidate);
    int written = snprintf(line, sizeof line, "a=%s\r\n", text);
    char *end = strstr(session->answer, end_line);
    if (!end)
        return OW_ESTATE;
    if (strstr(session->answer, line))
        return OW_OK; /* known already */
    if (count_candidates(session->answer) >= SDP_MAX_LOCAL_CANDIDATES)
        return OW_ELIMIT;
    size_t size = (size_t)written, before = (size_t)(end - session->answer), after = strlen(end);
    char *longer = malloc(before + size + after + 1);
    if (!longer)
        return OW_ENOMEM;
    memcpy(longer, session->answer, before);
    memcpy(longer + before, line, size);
    memcpy(longer + before + size, end, after + 1);
    free(session->answer);
    session->answer = longer;
    return OW_OK;
}

/* Our credentials have one length, so that new ones fit where the old ones are. */
static void replace_value(char *answer, const char *name, const char *value, size_t size)
{
    for (char *at = answer; (at = strstr(at, name)); at += size) {
        at += strlen(name);
        memcpy(at, value, size);
    }
}

static void renew_credentials(struct rtc_session *session)
{
    replace_value(session->answer, "\na=ice-ufrag:", ice_agent_ufrag(session->ice),
                  ICE_UFRAG_CHARS);
    replace_value(session->answer, "\na=ice-pwd:", ice_agent_pwd(session->ice), ICE_PWD_CHARS);
}

/* ---- the peer's side ---- */

static int restart(struct rtc_session *session, int64_t now_us, const struct sdp_fragment *fragment,
                   char **out, struct reason *why)
{
    if (fragment->pwd[0] == '\0')
        return reason_set(why, OW_EINVAL,
                          "the fragment has a new ICE user fragment without a password");
    char *answer = malloc(SDP_FRAGMENT_BYTES);
    int err = answer ? sdp_write_fragment(answer, session->answer) : OW_ENOMEM;
    if (!err)
        err = ice_agent_restart(session->ice, now_us, fragment->ufrag, fragment->pwd);
    if (err) {
        free(answer);
        return reason_set(why, err, "ICE could not be restarted: %s", error_text(err));
    }
    renew_credentials(session);
    (void)sdp_write_fragment(answer, session->answer); /* fits, as it did before */
    *out = answer;
    return OW_OK;
}

int rtc_session_trickle(struct rtc_session *session, int64_t now_us, const char *fragment_text,
                        size_t size, char **out, struct reason *why)
{
    if (!is_open(session))
        return reason_set(why, OW_ESTATE, "the session has ended");
    struct sdp_fragment *fragment = malloc(sizeof *fragment);
    if (!fragment)
        return reason_set(why, OW_ENOMEM, "out of memory");
    char *answer = NULL;
    int err = sdp_parse_fragment(fragment, fragment_text, size, why);
    if (err)
        goto out;
    enum ice_generation generation =
        ice_agent_generation(session->ice, fragment->ufrag, fragment->pwd);
    if (generation == ICE_GENERATION_NEW)
        err = restart(session, now_us, fragment, &answer, why);
    if (err || generation == ICE_GENERATION_OLD)
        goto out; /* candidates that a restart has overtaken are of no use */
    for (int i = 0; i < fragment->candidate_count; i++)
        (void)ice_agent_add_remote_candidate(session->ice, &fragment->candidates[i]);
out:
    free(fragment);
    if (!err)
        *out = answer;
    return err;
}

void rtc_session_set_relay(struct rtc_session *session, int64_t now_us, bool available)
{
    if (is_open(session))
        ice_agent_set_relay(session->ice, now_us, available);
}

void rtc_session_forget(struct rtc_session *session, int64_t now_us, const struct address *remote)
{
    if (is_open(session))
        ice_agent_forget(session->ice, now_us, remote);
}
