#include "net/mqtt_client.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    KEEP_ALIVE_S = 30,
    LOOP_MS = 250,
    MAX_PENDING = 64, /* not gone out yet */
    FIRST_PAUSE_S = 1,
    LAST_PAUSE_S = 30,
};

struct mqtt_client {
    struct mosquitto *library;
    char host[256], status_topic[MQTT_TOPIC_BYTES];
    int port;
    pthread_t thread;
    pthread_mutex_t lock; /* for the pause */
    pthread_cond_t changed;
    atomic_bool quit, connected;
    atomic_int pending;
    atomic_uint_least64_t published, dropped;
};

/* ---- the address ---- */

static int parse_url(const char *url, char host[256], int *port, bool *tls, struct reason *why)
{
    static const char plain[] = "mqtt://", secure[] = "mqtts://";
    *tls = strncasecmp(url, secure, sizeof secure - 1) == 0;
    if (!*tls && strncasecmp(url, plain, sizeof plain - 1) != 0)
        return reason_set(why, OW_EINVAL, "--mqtt must begin with mqtt:// or mqtts://");
    const char *name = url + (*tls ? sizeof secure : sizeof plain) - 1;
    bool brackets = name[0] == '[';
    name += brackets;
    const char *end = name + strcspn(name, brackets ? "]" : ":/");
    size_t size = (size_t)(end - name);
    if (strchr(url, '@'))
        return reason_set(why, OW_EINVAL,
                          "--mqtt takes user and password as --mqtt-username and "
                          "--mqtt-password, not in the address");
    if (size == 0 || size >= 256 || (brackets && *end != ']'))
        return reason_set(why, OW_EINVAL, "--mqtt names no host: mqtt://host:1883");
    snprintf(host, 256, "%.*s", (int)size, name);
    end += brackets;
    char *rest = NULL;
    long given = *end == ':' ? strtol(end + 1, &rest, 10) : *tls ? 8883 : 1883;
    if (given < 1 || given > 65535 || (rest && *rest && strcmp(rest, "/") != 0) ||
        (!rest && *end && strcmp(end, "/") != 0))
        return reason_set(why, OW_EINVAL, "--mqtt: after the host only a port may stand");
    *port = (int)given;
    return OW_OK;
}

bool mqtt_topic_is_valid(const char *topic)
{
    size_t size = strlen(topic);
    return size > 0 && size < MQTT_TOPIC_BYTES && mosquitto_pub_topic_check(topic) == 0 &&
           mosquitto_validate_utf8(topic, (int)size) == MOSQ_ERR_SUCCESS;
}

/* ---- on the client's thread ---- */

static void on_connect(struct mosquitto *library, void *context, int code)
{
    struct mqtt_client *self = context;
    static const char online[] = "online";
    if (code != 0) {
        log_warn("MQTT: the broker %s refuses the connection: %s", self->host,
                 mosquitto_connack_string(code));
        return;
    }
    atomic_store(&self->pending, 1); /* the one below */
    atomic_store(&self->connected, true);
    log_info("MQTT: connected to %s", self->host);
    (void)mosquitto_publish(library, NULL, self->status_topic, sizeof online - 1, online, 0, true);
}

static void on_disconnect(struct mosquitto *library, void *context, int code)
{
    (void)library;
    struct mqtt_client *self = context;
    if (atomic_exchange(&self->connected, false) && code != 0)
        log_warn("MQTT: the connection to %s is lost", self->host);
}

static void on_publish(struct mosquitto *library, void *context, int id)
{
    (void)library;
    (void)id;
    atomic_fetch_sub(&((struct mqtt_client *)context)->pending, 1);
}

static void pause_for(struct mqtt_client *self, int seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&self->lock);
    while (!atomic_load(&self->quit) &&
           pthread_cond_timedwait(&self->changed, &self->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&self->lock);
}

static void say_goodbye(struct mqtt_client *self)
{
    static const char offline[] = "offline";
    if (!atomic_load(&self->connected))
        return;
    (void)mosquitto_publish(self->library, NULL, self->status_topic, sizeof offline - 1, offline, 0,
                            true);
    (void)mosquitto_disconnect(self->library);
    (void)mosquitto_loop(self->library, LOOP_MS, 1);
}

static void *client_thread(void *argument)
{
    struct mqtt_client *self = argument;
    int pause_s = FIRST_PAUSE_S;
    bool told = false;
    thread_introduce("mqtt", THREAD_SERVICE);
    int rc = mosquitto_connect_async(self->library, self->host, self->port, KEEP_ALIVE_S);
    while (!atomic_load(&self->quit)) {
        while (rc == MOSQ_ERR_SUCCESS && !atomic_load(&self->quit)) {
            rc = mosquitto_loop(self->library, LOOP_MS, 1);
            if (atomic_load(&self->connected)) {
                pause_s = FIRST_PAUSE_S;
                told = false;
            }
        }
        if (atomic_load(&self->quit))
            break;
        if (!told)
            log_warn("MQTT: no connection to %s, port %d (%s): tried again", self->host, self->port,
                     rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
        told = true;
        pause_for(self, pause_s);
        pause_s = pause_s * 2 < LAST_PAUSE_S ? pause_s * 2 : LAST_PAUSE_S;
        rc = atomic_load(&self->quit) ? MOSQ_ERR_SUCCESS : mosquitto_reconnect_async(self->library);
    }
    say_goodbye(self);
    return NULL;
}

/* ---- start and stop ---- */

static void free_client(struct mqtt_client *self)
{
    if (self->library)
        mosquitto_destroy(self->library);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    mosquitto_lib_cleanup();
}

static int set_up(struct mqtt_client *self, const struct mqtt_settings *settings, bool tls,
                  struct reason *why)
{
    static const char offline[] = "offline", system_folder[] = "/etc/ssl/certs";
    if (mosquitto_will_set(self->library, self->status_topic, sizeof offline - 1, offline, 0,
                           true) != MOSQ_ERR_SUCCESS)
        return reason_set(why, OW_EINVAL, "--mqtt-prefix cannot begin a topic");
    if (settings->username && mosquitto_username_pw_set(self->library, settings->username,
                                                        settings->password) != MOSQ_ERR_SUCCESS)
        return reason_set(why, OW_EINVAL, "--mqtt-username is not UTF-8");
    if (tls && settings->ca_file && access(settings->ca_file, R_OK) != 0)
        return reason_set(why, OW_EIO, "--mqtt-ca %.200s cannot be read", settings->ca_file);
    if (tls && mosquitto_tls_set(self->library, settings->ca_file,
                                 settings->ca_file ? NULL : system_folder, NULL, NULL,
                                 NULL) != MOSQ_ERR_SUCCESS)
        return reason_set(why, OW_EIO, "--mqtt: TLS cannot be set up");
    mosquitto_connect_callback_set(self->library, on_connect);
    mosquitto_disconnect_callback_set(self->library, on_disconnect);
    mosquitto_publish_callback_set(self->library, on_publish);
    (void)mosquitto_threaded_set(self->library, true);
    return OW_OK;
}

int mqtt_client_start(struct mqtt_client **out, const struct mqtt_settings *settings,
                      struct reason *why)
{
    bool tls = false;
    struct mqtt_client *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "out of memory");
    mosquitto_lib_init();
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    int rc = parse_url(settings->url, self->host, &self->port, &tls, why);
    if (rc == OW_OK && !mqtt_topic_is_valid(settings->status_topic))
        rc = reason_set(why, OW_EINVAL, "--mqtt-prefix cannot begin a topic");
    if (rc == OW_OK) {
        snprintf(self->status_topic, sizeof self->status_topic, "%s", settings->status_topic);
        self->library = mosquitto_new(NULL, true, self);
        rc = self->library ? set_up(self, settings, tls, why)
                           : reason_set(why, OW_ENOMEM, "out of memory");
    }
    if (rc == OW_OK && pthread_create(&self->thread, NULL, client_thread, self) != 0)
        rc = reason_set(why, OW_ENOMEM, "the MQTT thread cannot be started");
    if (rc < 0) {
        free_client(self);
        return rc;
    }
    *out = self;
    return OW_OK;
}

void mqtt_client_stop(struct mqtt_client **client)
{
    struct mqtt_client *self = *client;
    struct timespec until;
    *client = NULL;
    if (!self)
        return;
    atomic_store(&self->quit, true);
    pthread_mutex_lock(&self->lock);
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    if (pthread_timedjoin_np(self->thread, NULL, &until) == 0)
        free_client(self);
    else /* it looks for the broker's name; the program ends anyway */
        pthread_detach(self->thread);
}

bool mqtt_client_publish(struct mqtt_client *self, const char *topic, const void *payload,
                         size_t size, bool retain)
{
    bool fits = atomic_load(&self->connected) && atomic_load(&self->pending) < MAX_PENDING &&
                size <= 256 * 1024 && mqtt_topic_is_valid(topic);
    if (fits) {
        atomic_fetch_add(&self->pending, 1);
        fits = mosquitto_publish(self->library, NULL, topic, (int)size, payload, 0, retain) ==
               MOSQ_ERR_SUCCESS;
        if (!fits)
            atomic_fetch_sub(&self->pending, 1);
    }
    atomic_fetch_add(fits ? &self->published : &self->dropped, 1);
    return fits;
}

void mqtt_client_read_stats(struct mqtt_client *self, struct mqtt_stats *out)
{
    *out = (struct mqtt_stats){.connected = atomic_load(&self->connected),
                               .published = atomic_load(&self->published),
                               .dropped = atomic_load(&self->dropped)};
}
