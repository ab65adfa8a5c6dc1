/* A candidate line of any content; writing what was read and reading it again changes nothing. */
#include "fuzz.h"

#include "rtc/sdp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp_candidate first, second;
    char text[SDP_CANDIDATE_TEXT_BYTES];
    if (sdp_parse_candidate(&first, (const char *)data, size))
        return 0;
    sdp_write_candidate(text, &first);
    if (sdp_parse_candidate(&second, text, strlen(text)) ||
        !address_equal(&first.address, &second.address) || first.priority != second.priority ||
        strcmp(first.type, second.type) != 0)
        abort();
    return 0;
}
