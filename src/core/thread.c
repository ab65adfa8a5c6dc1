#include "core/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void thread_introduce(const char *name, enum thread_kind kind)
{
    static const int nice_values[] = {
        [THREAD_PICTURE] = -10, [THREAD_MODEL] = 10, [THREAD_SERVICE] = 0};
    pthread_setname_np(pthread_self(), name);
    if (kind != THREAD_SERVICE) /* of this thread alone, unlike what POSIX says of it (Linux) */
        (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice_values[kind]);
}
