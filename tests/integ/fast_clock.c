/* Loaded in front of a program: its monotonic clock runs CLOCK_SPEED times as fast, so that a test
 * of a long patience is short. What waits by that clock wakes by it, the system for a peer, too;
 * the time of day stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

static const int64_t SECOND_NS = 1000000000;
/* Before it comes no time of day, after it no time since the machine started. */
static const int64_t EARLIEST_DATE_NS = 1000000000 * SECOND_NS;

static int64_t start_ns, speed = 1;

#define REAL(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * SECOND_NS + time->tv_nsec;
}

static struct timespec time_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

static int real_clock_gettime(clockid_t id, struct timespec *out)
{
    static __typeof__(&clock_gettime) real;
    if (!real)
        real = REAL(clock_gettime);
    return real(id, out);
}

__attribute__((constructor)) static void begin(void)
{
    struct timespec now;
    const char *text = getenv("CLOCK_SPEED");
    real_clock_gettime(CLOCK_MONOTONIC, &now);
    start_ns = ns_of(&now);
    speed = text ? atoll(text) : 1;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = real_clock_gettime(id, out);
    if (rc == 0 && id == CLOCK_MONOTONIC && speed > 1)
        *out = time_of(start_ns + (ns_of(out) - start_ns) * speed);
    return rc;
}

/* The real time at which the fast clock shows this. */
static struct timespec real_time(const struct timespec *fast)
{
    return time_of(start_ns + (ns_of(fast) - start_ns) / speed);
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
    struct timespec until = *wanted;
    if (id == CLOCK_MONOTONIC)
        until = flags & TIMER_ABSTIME ? real_time(wanted) : time_of(ns_of(wanted) / speed);
    return REAL(clock_nanosleep)(id, flags, &until, left);
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict wanted)
{
    struct timespec until = ns_of(wanted) < EARLIEST_DATE_NS ? real_time(wanted) : *wanted;
    return REAL(pthread_cond_timedwait)(cond, lock, &until);
}

/* Rounded up: who wakes too early goes round and round. */
static int real_ms(int ms)
{
    return ms > 0 ? (int)((ms + speed - 1) / speed) : ms;
}

int poll(struct pollfd *fds, nfds_t count, int ms)
{
    return REAL(poll)(fds, count, real_ms(ms));
}

int epoll_wait(int fd, struct epoll_event *events, int count, int ms)
{
    return REAL(epoll_wait)(fd, events, count, real_ms(ms));
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *wanted, const sigset_t *mask)
{
    struct timespec real = {0};
    if (wanted)
        real = time_of(ns_of(wanted) / speed);
    return REAL(ppoll)(fds, count, wanted ? &real : NULL, mask);
}

/* How long the system waits for a peer is told to it. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    int ms = 0;
    bool is_patience = level == IPPROTO_TCP && name == TCP_USER_TIMEOUT && size == sizeof ms;
    if (is_patience)
        ms = real_ms(*(const int *)value);
    return REAL(setsockopt)(fd, level, name, is_patience ? &ms : value, size);
}
