/* Loaded in front of a program: while there is a file TIGHT_WHILE, a disk has TIGHT_KB more than
 * the program leaves to others. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { RESERVE_KB = 256 * 1024 };

int statvfs64(const char *restrict path, struct statvfs64 *restrict out)
{
    static int (*real)(const char *, struct statvfs64 *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "statvfs64");
    int rc = real(path, out);
    const char *room = getenv("TIGHT_KB"), *as_long_as = getenv("TIGHT_WHILE");
    if (rc == 0 && room && as_long_as && access(as_long_as, F_OK) == 0) {
        out->f_frsize = 1024;
        out->f_bavail = (fsblkcnt64_t)(RESERVE_KB + atol(room));
    }
    return rc;
}
