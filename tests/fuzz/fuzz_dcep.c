/* Openings of data channels: what is taken lies within the message. And wishes for records: what is
 * read is within its bounds. */
#include "fuzz.h"

#include "core/error.h"
#include "rtc/data_channel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcep_open open;
    struct record_wish wish;
    if (record_wish_parse(&wish, data, size) == OW_OK &&
        (wish.per_10s < 0 || wish.per_10s > RECORD_WISH_EACH))
        abort();
    if (dcep_parse_open(&open, data, size) != OW_OK)
        return 0;
    if (open.label < data || open.label + open.label_size > data + size)
        abort();
    return 0;
}
