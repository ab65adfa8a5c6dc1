#include "core/thread.h"

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

void thread_rwlock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__ /* its usual kind prefers readers */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}
