/* An offer of any content; what is understood must make an answer that fits it. */
#include "fuzz.h"

#include "rtc/sdp.h"

#include <stdlib.h>
#include <string.h>

static int count_media(const char *text)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, "\r\nm=")); at += 4)
        count++;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp_offer offer;
    struct reason why = {{0}};
    if (sdp_parse_offer(&offer, (const char *)data, size, 0, &why)) {
        if (why.text[0] == '\0')
            abort(); /* every refusal has its sentence */
        return 0;
    }
    static const uint8_t fingerprint[32];
    struct sdp_answer_settings settings = {
        .ufrag = "abcdefgh",
        .pwd = "abcdefghijklmnopqrstuvwx",
        .fingerprint = fingerprint,
        .ssrc = 1,
        .rtx_ssrc = 2,
        .cname = "c",
        .stream_id = "s",
        .track_id = "t",
        .candidate_count = 1,
        .candidates = {{.address = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 1}, .port = 8189}}},
    };
    char *answer = NULL;
    if (sdp_write_answer(&answer, &offer, &settings) || count_media(answer) != offer.media_count)
        abort();
    free(answer);
    return 0;
}
