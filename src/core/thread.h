/* What a thread is called in top and gdb, and how it stands among others when processors are short.
 */
#ifndef OW_CORE_THREAD_H
#define OW_CORE_THREAD_H

#include <pthread.h>

enum thread_kind {
    THREAD_PICTURE, /* on the way of a frame: needs a millisecond or two, now */
    THREAD_MODEL,   /* takes all it gets, for many milliseconds; gives way to the others */
    THREAD_SERVICE  /* neither */
};

/* Names the calling thread (at most 15 characters) and sets its priority; threads that it makes
 * later inherit both. Raising a priority takes a privilege that most users lack: then it is left
 * alone. */
void thread_introduce(const char *name, enum thread_kind kind);

/* A lock that a waiting writer gets before readers who come later, so that many of them cannot keep
 * it out for ever. So no thread may take it twice, not even for reading. */
void thread_rwlock_init(pthread_rwlock_t *lock);

#endif
