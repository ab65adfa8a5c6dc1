#include "footage.h"

#include "core/frame.h"
#include "source/y4m.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_file(struct footage *footage, const char *path, struct reason *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return reason_set(why, OW_EIO, "%s: %s", path, strerror(errno));
    struct stat info;
    void *bytes = MAP_FAILED;
    if (fstat(fd, &info) == 0 && info.st_size > 0)
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE,
                     fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return reason_set(why, OW_EIO, "%s cannot be mapped into memory", path);
    footage->bytes = bytes;
    footage->size = (size_t)info.st_size;
    return OW_OK;
}

/* Every frame's line has the length of the first one's, as every writer of Y4M does. */
static int read_layout(struct footage *footage, struct reason *why)
{
    struct y4m_header header;
    int rc = y4m_parse_header(&header, footage->bytes, footage->size, &footage->first, why);
    if (rc < 0)
        return rc;
    if (header.format != AV_PIX_FMT_YUV420P)
        return reason_set(why, OW_EUNSUPPORTED, "the footage must be 4:2:0");
    rc = y4m_parse_frame_header(footage->bytes + footage->first, footage->size - footage->first,
                                &footage->mark_bytes);
    if (rc < 0)
        return reason_set(why, OW_EPARSE, "the footage has no frames");
    size_t luma = (size_t)header.width * (size_t)header.height;
    size_t chroma = (size_t)chroma_size(header.width) * (size_t)chroma_size(header.height);
    footage->width = header.width;
    footage->height = header.height;
    footage->stride = footage->mark_bytes + luma + 2 * chroma;
    footage->frames = (footage->size - footage->first) / footage->stride;
    return footage->frames > 0 ? OW_OK
                               : reason_set(why, OW_EPARSE, "the footage has no whole frame");
}

int footage_open(struct footage *out, const char *path, struct reason *why)
{
    struct footage footage = {0};
    int rc = map_file(&footage, path, why);
    if (rc < 0)
        return rc;
    rc = read_layout(&footage, why);
    if (rc < 0) {
        footage_close(&footage);
        return rc;
    }
    *out = footage;
    return OW_OK;
}

void footage_close(struct footage *footage)
{
    if (footage->bytes != NULL)
        munmap(footage->bytes, footage->size);
    footage->bytes = NULL;
}

uint8_t *footage_at(const struct footage *footage, uint64_t index)
{
    return footage->bytes + footage->first + (size_t)(index % footage->frames) * footage->stride;
}

void footage_planes(const struct footage *footage, uint8_t *at, uint8_t *plane[3], int stride[3])
{
    int chroma_width = chroma_size(footage->width);
    size_t luma = (size_t)footage->width * (size_t)footage->height;
    size_t chroma = (size_t)chroma_width * (size_t)chroma_size(footage->height);
    plane[0] = at + footage->mark_bytes;
    plane[1] = plane[0] + luma;
    plane[2] = plane[1] + chroma;
    stride[0] = footage->width;
    stride[1] = stride[2] = chroma_width;
}
