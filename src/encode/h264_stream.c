#include "encode/h264_stream.h"

#include "core/error.h"

#include <string.h>

/* ITU-T H.264 table 7-1. */
enum { NAL_SLICE = 1, NAL_SLICE_IDR = 5, NAL_SPS = 7, NAL_PPS = 8 };
enum { PROFILE_BASELINE = 66, CONSTRAINT_SETS_0_TO_2 = 0xe0, START_CODE_BYTES = 4 };

static int nal_type(const uint8_t *nal)
{
    return nal[0] & 0x1f;
}

/* The offset of the next 00 00 01, or `size`. */
static size_t find_start_code(const uint8_t *stream, size_t size, size_t from)
{
    while (from + 3 <= size) {
        const uint8_t *one = memchr(stream + from + 2, 1, size - from - 2);
        if (!one)
            return size;
        size_t at = (size_t)(one - stream) - 2;
        if (stream[at] == 0 && stream[at + 1] == 0)
            return at;
        from = at + 1;
    }
    return size;
}

bool h264_stream_next(const uint8_t *stream, size_t size, size_t *offset, const uint8_t **nal,
                      size_t *nal_size)
{
    size_t start = find_start_code(stream, size, *offset);
    while (start < size) {
        size_t begin = start + 3;
        size_t next = find_start_code(stream, size, begin);
        size_t end = next;
        while (end > begin && stream[end - 1] == 0)
            end--;
        *offset = next;
        if (end > begin) {
            *nal = stream + begin;
            *nal_size = end - begin;
            return true;
        }
        start = next;
    }
    *offset = size;
    return false;
}

static void remember_unit(struct h264_parameter_sets *sets, const uint8_t *nal, size_t size)
{
    if (size < 4 || size > H264_PARAMETER_SET_BYTES)
        return;
    if (nal_type(nal) == NAL_SPS) {
        memcpy(sets->sps, nal, size);
        sets->sps_size = size;
        if (sets->sps[1] == PROFILE_BASELINE)
            sets->sps[2] |= CONSTRAINT_SETS_0_TO_2;
    } else if (nal_type(nal) == NAL_PPS) {
        memcpy(sets->pps, nal, size);
        sets->pps_size = size;
    }
}

void h264_stream_remember(struct h264_parameter_sets *sets, const uint8_t *stream, size_t size)
{
    size_t offset = 0, nal_size;
    const uint8_t *nal;
    while (h264_stream_next(stream, size, &offset, &nal, &nal_size))
        remember_unit(sets, nal, nal_size);
}

static uint8_t *append(uint8_t *to, const uint8_t *nal, size_t size)
{
    static const uint8_t start_code[START_CODE_BYTES] = {0, 0, 0, 1};
    memcpy(to, start_code, START_CODE_BYTES);
    memcpy(to + START_CODE_BYTES, nal, size);
    return to + START_CODE_BYTES + size;
}

int h264_stream_pack(struct h264_parameter_sets *sets, const uint8_t *stream, size_t size,
                     struct encoded **out)
{
    size_t offset = 0, nal_size, slice_bytes = 0;
    const uint8_t *nal;
    bool key = false;
    while (h264_stream_next(stream, size, &offset, &nal, &nal_size)) {
        remember_unit(sets, nal, nal_size);
        if (nal_type(nal) == NAL_SLICE || nal_type(nal) == NAL_SLICE_IDR)
            slice_bytes += START_CODE_BYTES + nal_size;
        key = key || nal_type(nal) == NAL_SLICE_IDR;
    }
    if (!slice_bytes || (key && (!sets->sps_size || !sets->pps_size)))
        return OW_EPARSE;

    size_t set_bytes = key ? 2 * START_CODE_BYTES + sets->sps_size + sets->pps_size : 0;
    struct encoded *unit = NULL;
    int rc = encoded_create(&unit, set_bytes + slice_bytes);
    if (rc < 0)
        return rc;
    unit->key = key;
    uint8_t *to = unit->data;
    if (key) {
        to = append(to, sets->sps, sets->sps_size);
        to = append(to, sets->pps, sets->pps_size);
    }
    offset = 0;
    while (h264_stream_next(stream, size, &offset, &nal, &nal_size))
        if (nal_type(nal) == NAL_SLICE || nal_type(nal) == NAL_SLICE_IDR)
            to = append(to, nal, nal_size);
    *out = unit;
    return OW_OK;
}
