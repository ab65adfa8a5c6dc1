/* A fragment of any content: what was read stays within its bounds. The same text taken for an
 * answer of ours: what is written of it can be read, or was refused. */
#include "fuzz.h"

#include "rtc/sdp_fragment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp_fragment fragment;
    struct reason why = {{0}};
    int err = sdp_parse_fragment(&fragment, (const char *)data, size, &why);
    if (err ? why.text[0] == '\0'
            : fragment.candidate_count > SDP_MAX_CANDIDATES ||
                  strlen(fragment.ufrag) >= SDP_UFRAG_BYTES ||
                  strlen(fragment.pwd) >= SDP_PWD_BYTES || strchr(fragment.ufrag, ':'))
        abort();

    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char written[SDP_FRAGMENT_BYTES];
    if (sdp_write_fragment(written, text) == OW_OK && strlen(written) >= sizeof written)
        abort();
    free(text);
    return 0;
}
