/* How much of a disk the program may fill: some is left to others, the store first. */
#ifndef OW_CORE_DISK_ROOM_H
#define OW_CORE_DISK_ROOM_H

#include <stdint.h>

enum { DISK_RESERVE_MB = 256 };

/* The bytes that may still be written where this folder is; 0: the disk counts as full. OW_EIO:
 * there is no such folder, errno says why. */
int disk_room(const char *folder, uint64_t *out);

#endif
