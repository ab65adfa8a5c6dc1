#include "net/name_lookup.h"

#include "net/socket_address.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The system may take half a minute; who asked may have gone by then. So it has two owners, the
 * asker and the helper, and the last one frees it. */
struct name_lookup {
    pthread_mutex_t lock;
    int owners;
    bool cancelled;
    struct media_thread *thread;
    char host[256];
    uint16_t port;
    void (*found)(void *context, const struct address *addresses, int count);
    void *context;
    int count;
    struct address addresses[NAME_LOOKUP_ADDRESSES];
};

static void let_go(struct name_lookup *self)
{
    pthread_mutex_lock(&self->lock);
    int owners = --self->owners;
    pthread_mutex_unlock(&self->lock);
    if (owners > 0)
        return;
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static void run_found(struct media_thread *thread, void *argument)
{
    (void)thread;
    struct name_lookup *self = argument;
    if (!self->cancelled) /* only ever set on this thread */
        self->found(self->context, self->addresses, self->count);
    let_go(self);
}

/* IPv4 first: what is asked for is mostly a way through its NAT. */
static void look_up(struct name_lookup *self)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    if (getaddrinfo(self->host, NULL, &hints, &list) != 0)
        return;
    for (int pass = 0; pass < 2; pass++) {
        int family = pass == 0 ? AF_INET : AF_INET6;
        for (const struct addrinfo *i = list; i && self->count < NAME_LOOKUP_ADDRESSES;
             i = i->ai_next) {
            struct sockaddr_storage name = {0};
            if (i->ai_family != family || i->ai_addrlen > sizeof name)
                continue;
            memcpy(&name, i->ai_addr, i->ai_addrlen);
            address_from_sockaddr(&self->addresses[self->count], &name);
            self->addresses[self->count++].port = self->port;
        }
    }
    freeaddrinfo(list);
}

static void *lookup_main(void *argument)
{
    struct name_lookup *self = argument;
    look_up(self);
    pthread_mutex_lock(&self->lock);
    /* While the asker has not gone, neither has its thread. */
    bool posted = !self->cancelled && media_thread_post(self->thread, run_found, self) == OW_OK;
    pthread_mutex_unlock(&self->lock);
    if (!posted)
        let_go(self);
    return NULL;
}

int name_lookup_start(struct name_lookup **out, struct media_thread *thread, const char *host,
                      uint16_t port,
                      void (*found)(void *context, const struct address *addresses, int count),
                      void *context)
{
    struct name_lookup *self = calloc(1, sizeof *self);
    pthread_t helper;
    pthread_attr_t attributes;
    if (!self)
        return OW_ENOMEM;
    pthread_mutex_init(&self->lock, NULL);
    self->owners = 2;
    self->thread = thread;
    self->port = port;
    self->found = found;
    self->context = context;
    snprintf(self->host, sizeof self->host, "%s", host);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&helper, &attributes, lookup_main, self);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        pthread_mutex_destroy(&self->lock);
        free(self);
        return OW_EIO;
    }
    *out = self;
    return OW_OK;
}

void name_lookup_cancel(struct name_lookup **lookup)
{
    struct name_lookup *self = *lookup;
    if (!self)
        return;
    *lookup = NULL;
    pthread_mutex_lock(&self->lock);
    self->cancelled = true;
    pthread_mutex_unlock(&self->lock);
    let_go(self);
}
