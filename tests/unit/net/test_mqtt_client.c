/* What a broker may do wrong; that all goes right with a real one is shown by tests/integ/mqtt. */
#include "core/clock.h"
#include "net/mqtt_client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_int broker_client = -1;

/* Takes the connection and says that it is welcome (MQTT 3.1.1, 3.2), and nothing more. */
static void *broker_thread(void *argument)
{
    static const unsigned char welcome[] = {0x20, 2, 0, 0};
    char hello[256];
    int fd = accept(*(int *)argument, NULL, NULL);
    if (fd >= 0 && recv(fd, hello, sizeof hello, 0) > 0)
        (void)!send(fd, welcome, sizeof welcome, MSG_NOSIGNAL);
    atomic_store(&broker_client, fd);
    return NULL;
}

static int listen_here(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(url, 64, "mqtt://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static struct mqtt_client *start(const char *url)
{
    struct mqtt_client *client = NULL;
    struct reason why = {""};
    const struct mqtt_settings settings = {.url = url, .status_topic = "test/status"};
    assert_int_equal(mqtt_client_start(&client, &settings, &why), OW_OK);
    return client;
}

static bool is_connected(struct mqtt_client *client)
{
    struct mqtt_stats stats = {0};
    for (int i = 0; i < 500 && !stats.connected; i++) {
        mqtt_client_read_stats(client, &stats);
        clock_sleep_until_us(clock_now_us() + 10000);
    }
    return stats.connected;
}

static void a_broker_that_reads_nothing_is_not_waited_for(void **state)
{
    (void)state;
    enum { COUNT = 20000, SIZE = 10000 };
    static char payload[SIZE];
    char url[64];
    pthread_t thread;
    int listener = listen_here(url);
    pthread_create(&thread, NULL, broker_thread, &listener);
    struct mqtt_client *client = start(url);
    assert_true(is_connected(client));
    int64_t begin_us = clock_now_us();
    for (int i = 0; i < COUNT; i++)
        (void)mqtt_client_publish(client, "test/data", payload, sizeof payload, false);
    assert_true(clock_now_us() - begin_us < 5000000);
    struct mqtt_stats stats;
    mqtt_client_read_stats(client, &stats);
    assert_int_equal(stats.published + stats.dropped, COUNT);
    /* 200 MB were given; what the system's buffers hold and some more were taken. */
    assert_true(stats.published < COUNT / 10);
    begin_us = clock_now_us();
    mqtt_client_stop(&client);
    assert_true(clock_now_us() - begin_us < 1500000);
    pthread_join(thread, NULL);
    close(broker_client);
    close(listener);
}

static void without_a_connection_everything_is_dropped(void **state)
{
    (void)state;
    char url[64];
    close(listen_here(url)); /* nobody is there */
    struct mqtt_client *client = start(url);
    struct mqtt_stats stats;
    assert_false(mqtt_client_publish(client, "test/data", "x", 1, false));
    mqtt_client_read_stats(client, &stats);
    assert_false(stats.connected);
    assert_int_equal(stats.dropped, 1);
    int64_t begin_us = clock_now_us(); /* also while it pauses between two tries */
    clock_sleep_until_us(begin_us + 300000);
    mqtt_client_stop(&client);
    assert_true(clock_now_us() - begin_us < 1800000);
    assert_null(client);
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "host",
                                       "http://host",
                                       "mqtt://",
                                       "mqtt://:1883",
                                       "mqtt://host:0",
                                       "mqtt://host:70000",
                                       "mqtt://host:1x",
                                       "mqtt://host/path",
                                       "mqtt://user:secret@host",
                                       "mqtt://[::1",
                                       "mqtt://[::1]x"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct mqtt_client *client = NULL;
        struct reason why = {""};
        const struct mqtt_settings settings = {.url = urls[i], .status_topic = "s"};
        assert_int_equal(mqtt_client_start(&client, &settings, &why), OW_EINVAL);
        assert_non_null(strstr(why.text, "--mqtt"));
        assert_null(strstr(why.text, "secret"));
    }
    struct mqtt_client *client = NULL;
    struct reason why = {""};
    struct mqtt_settings settings = {.url = "mqtt://host", .status_topic = "a/#"};
    assert_int_equal(mqtt_client_start(&client, &settings, &why), OW_EINVAL);
    settings = (struct mqtt_settings){
        .url = "mqtts://host", .status_topic = "s", .ca_file = "/nowhere/ca.pem"};
    assert_int_equal(mqtt_client_start(&client, &settings, &why), OW_EIO);
}

static void topics_are_checked(void **state)
{
    (void)state;
    char large[MQTT_TOPIC_BYTES + 1];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_true(mqtt_topic_is_valid("a"));
    assert_true(mqtt_topic_is_valid("site/Höf €/detections"));
    assert_false(mqtt_topic_is_valid(""));
    assert_false(mqtt_topic_is_valid("a/+/b"));
    assert_false(mqtt_topic_is_valid("a/#"));
    assert_false(mqtt_topic_is_valid("bad \xff"));
    assert_false(mqtt_topic_is_valid(large));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_that_reads_nothing_is_not_waited_for),
        cmocka_unit_test(without_a_connection_everything_is_dropped),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(topics_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
