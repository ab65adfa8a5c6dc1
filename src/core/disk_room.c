#include "core/disk_room.h"

#include "core/error.h"

#include <sys/statvfs.h>

int disk_room(const char *folder, uint64_t *out)
{
    static const uint64_t reserve = (uint64_t)DISK_RESERVE_MB * 1024 * 1024;
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return OW_EIO;
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    *out = available > reserve ? available - reserve : 0;
    return OW_OK;
}
