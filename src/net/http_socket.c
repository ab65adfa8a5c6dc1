/* The outbox of a WebSocket client: control messages in order, frames latest-wins. */
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>

struct http_message *http_message_create(bool binary, const void *head, size_t head_size,
                                         const void *tail, size_t tail_size)
{
    struct http_message *message = malloc(sizeof *message + HTTP_HEADROOM + head_size + tail_size);
    if (!message)
        return NULL;
    atomic_init(&message->refs, 1);
    message->binary = binary;
    message->size = head_size + tail_size;
    memcpy(message->data + HTTP_HEADROOM, head, head_size);
    if (tail_size > 0)
        memcpy(message->data + HTTP_HEADROOM + head_size, tail, tail_size);
    return message;
}

struct http_message *http_message_ref(struct http_message *message)
{
    atomic_fetch_add(&message->refs, 1);
    return message;
}

size_t http_message_size(const struct http_message *message)
{
    return message->size;
}

void http_message_unref(struct http_message **message)
{
    struct http_message *self = *message;
    *message = NULL;
    if (self && atomic_fetch_sub(&self->refs, 1) == 1)
        free(self);
}

int http_socket_create(struct http_socket **out, struct http_server *server)
{
    struct http_socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return OW_ENOMEM;
    socket->server = server;
    pthread_mutex_init(&socket->lock, NULL);
    *out = socket;
    return OW_OK;
}

void http_socket_destroy(struct http_socket **socket)
{
    struct http_socket *self = *socket;
    if (!self)
        return;
    *socket = NULL;
    for (int i = 0; i < self->control_count; i++)
        http_message_unref(&self->controls[(self->control_first + i) % HTTP_SOCKET_CONTROLS]);
    for (int i = 0; i < HTTP_SOCKET_SLOTS; i++)
        http_message_unref(&self->slots[i]);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static void wake(struct http_socket *socket)
{
    if (!atomic_exchange(&socket->waiting, true))
        http_server_wake(socket->server);
}

/* Under the lock. */
static void add_control(struct http_socket *socket, struct http_message *message)
{
    int at = (socket->control_first + socket->control_count++) % HTTP_SOCKET_CONTROLS;
    socket->controls[at] = http_message_ref(message);
}

void http_socket_send(struct http_socket *socket, struct http_message *message)
{
    pthread_mutex_lock(&socket->lock);
    if (socket->control_count == HTTP_SOCKET_CONTROLS)
        socket->overflow = true;
    else
        add_control(socket, message);
    pthread_mutex_unlock(&socket->lock);
    wake(socket);
}

bool http_socket_offer(struct http_socket *socket, struct http_message *message)
{
    pthread_mutex_lock(&socket->lock);
    bool fits = socket->control_count < HTTP_SOCKET_CONTROLS / 2;
    if (fits)
        add_control(socket, message);
    pthread_mutex_unlock(&socket->lock);
    if (fits)
        wake(socket);
    return fits;
}

bool http_socket_send_latest(struct http_socket *socket, int slot, struct http_message *message)
{
    if (slot < 0 || slot >= HTTP_SOCKET_SLOTS)
        return false;
    pthread_mutex_lock(&socket->lock);
    bool fresh = socket->slots[slot] == NULL;
    http_message_unref(&socket->slots[slot]);
    socket->slots[slot] = http_message_ref(message);
    pthread_mutex_unlock(&socket->lock);
    wake(socket);
    return fresh;
}

bool http_socket_owes(struct http_socket *socket)
{
    pthread_mutex_lock(&socket->lock);
    bool owes = socket->control_count > 0;
    pthread_mutex_unlock(&socket->lock);
    return owes;
}

static struct http_message *take_slot(struct http_socket *socket)
{
    for (int i = 0; i < HTTP_SOCKET_SLOTS; i++) {
        int slot = (socket->slot_next + i) % HTTP_SOCKET_SLOTS;
        struct http_message *message = socket->slots[slot];
        if (message) {
            socket->slots[slot] = NULL;
            socket->slot_next = (slot + 1) % HTTP_SOCKET_SLOTS;
            return message;
        }
    }
    return NULL;
}

struct http_message *http_socket_take(struct http_socket *socket, bool *overflow, bool *more)
{
    pthread_mutex_lock(&socket->lock);
    *overflow = socket->overflow;
    struct http_message *message = NULL;
    if (socket->control_count > 0) {
        message = socket->controls[socket->control_first];
        socket->controls[socket->control_first] = NULL;
        socket->control_first = (socket->control_first + 1) % HTTP_SOCKET_CONTROLS;
        socket->control_count--;
    } else {
        message = take_slot(socket);
    }
    *more = socket->control_count > 0;
    for (int i = 0; i < HTTP_SOCKET_SLOTS && !*more; i++)
        *more = socket->slots[i] != NULL;
    pthread_mutex_unlock(&socket->lock);
    return message;
}

void http_socket_set_user(struct http_socket *socket, void *user)
{
    socket->user = user;
}

void *http_socket_user(const struct http_socket *socket)
{
    return socket->user;
}
