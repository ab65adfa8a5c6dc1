/* Loaded in front of a program: a write to a recording takes DELAY_MS, as on a slow disk, while
 * there is a file DELAY_WHILE. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *delay = getenv("DELAY_MS"), *as_long_as = getenv("DELAY_WHILE");
    if (delay && as_long_as && strstr(path, "/recordings/") && access(as_long_as, F_OK) == 0) {
        long ms = atol(delay);
        struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
    return real(fd, data, size);
}
