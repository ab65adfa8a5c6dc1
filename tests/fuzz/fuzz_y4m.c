/* The headers of a Y4M stream of any content. */
#include "fuzz.h"

#include "core/frame.h"
#include "source/y4m.h"

#include <stdlib.h>

static void read_stream_header(const uint8_t *data, size_t size)
{
    struct y4m_header header;
    struct reason why = {""};
    size_t used = 0;
    int rc = y4m_parse_header(&header, data, size, &used, &why);
    if (rc == OW_OK &&
        (used == 0 || used > size || data[used - 1] != '\n' || header.width < 1 ||
         header.width > FRAME_MAX_SIDE || header.height < 1 || header.height > FRAME_MAX_SIDE ||
         header.rate_num < 0 || header.rate_den < 0 || header.format == AV_PIX_FMT_NONE))
        abort();
    if (rc == OW_EAGAIN && (size >= Y4M_HEADER_BYTES_MAX || !y4m_may_be_header(data, size)))
        abort();
    if (rc < 0 && rc != OW_EAGAIN && !why.text[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used = 0;
    read_stream_header(data, size);
    int rc = y4m_parse_frame_header(data, size, &used);
    if (rc == OW_OK && (used == 0 || used > size || data[used - 1] != '\n'))
        abort();
    if (rc == OW_EAGAIN && size >= Y4M_FRAME_HEADER_BYTES_MAX)
        abort();
    return 0;
}
