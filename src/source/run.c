#include "source/input.h"

#include "core/clock.h"

#include <poll.h>
#include <time.h>

/* Waits for `count` descriptors until the deadline; false when a signal or nothing came. */
static bool wait_for(struct pollfd *fds, nfds_t count, int64_t deadline_us)
{
    int64_t left_us = deadline_us - clock_now_us();
    if (left_us < 0)
        left_us = 0;
    struct timespec timeout = {.tv_sec = (time_t)(left_us / 1000000),
                               .tv_nsec = (long)(left_us % 1000000) * 1000};
    return ppoll(fds, count, &timeout, NULL) > 0;
}

bool source_run_wait_until(struct source_run *run, int64_t deadline_us)
{
    struct pollfd fd = {.fd = run->stop_fd, .events = POLLIN};
    while (!source_run_stopping(run) && clock_now_us() < deadline_us)
        wait_for(&fd, 1, deadline_us);
    return !source_run_stopping(run);
}

int source_run_poll(struct source_run *run, int fd, int64_t deadline_us, int64_t *now_us)
{
    struct pollfd fds[2] = {{.fd = run->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    bool any = wait_for(fds, 2, deadline_us);
    *now_us = clock_now_us();
    return any && fds[1].revents && !source_run_stopping(run) ? OW_OK : OW_EAGAIN;
}
