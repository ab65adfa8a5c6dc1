#include "net/media_socket.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct media_socket *open_one(bool shared, uint16_t port)
{
    struct media_socket_settings settings = {
        .bind_address = "127.0.0.1", .port = port, .shared = shared};
    struct media_socket *socket = NULL;
    struct reason why = {""};
    assert_int_equal(media_socket_open(&socket, &settings, &why), OW_OK);
    assert_string_equal(why.text, "");
    return socket;
}

/* A plain receiver and its address. */
static int open_receiver(struct address *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage name = {.ss_family = AF_INET};
    ((struct sockaddr_in *)&name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(struct sockaddr_in)), 0);
    socklen_t size = sizeof name;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    address_from_sockaddr(address, &name);
    return fd;
}

static void queue(struct media_socket *socket, const struct address *to, size_t size, uint8_t mark)
{
    struct rtc_output *datagram = media_socket_next(socket);
    datagram->to = *to;
    datagram->size = size;
    memset(datagram->data, mark, size);
    media_socket_commit(socket);
}

static void expect(int fd, size_t size, uint8_t mark)
{
    uint8_t data[2048];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    assert_int_equal(recv(fd, data, sizeof data, 0), size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], mark);
}

/* Sizes as frames have them; what each receiver gets is exactly what was queued, in order. */
static void send_pattern(struct media_socket *socket, int a, const struct address *to_a, int b,
                         const struct address *to_b)
{
    static const size_t sizes[] = {1100, 1100, 1100, 400, 1100, 1100, 7, 8, 8, 1500, 1, 1};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    for (uint8_t i = 0; i < COUNT; i++)
        queue(socket, to_a, sizes[i], i);
    for (uint8_t i = 0; i < COUNT; i++) {
        queue(socket, to_a, 900, i);
        queue(socket, to_b, sizes[i], i);
    }
    media_socket_flush(socket);
    for (uint8_t i = 0; i < COUNT; i++)
        expect(a, sizes[i], i);
    for (uint8_t i = 0; i < COUNT; i++)
        expect(a, 900, i);
    for (uint8_t i = 0; i < COUNT; i++)
        expect(b, sizes[i], i);
    for (uint8_t i = 0; i < 70; i++) /* more than one message may have */
        queue(socket, to_b, 1200, i);
    media_socket_flush(socket);
    for (uint8_t i = 0; i < 70; i++)
        expect(b, 1200, i);
}

static void datagrams_to_one_address_leave_together(void **state)
{
    (void)state;
    struct address to_a, to_b;
    int a = open_receiver(&to_a), b = open_receiver(&to_b);
    struct media_socket *socket = open_one(false, 0);
    struct media_socket_figures figures;
    send_pattern(socket, a, &to_a, b, &to_b);
    media_socket_figures(socket, &figures);
    assert_int_equal(figures.datagrams, 106);
    assert_int_equal(figures.refused, 0);
    if (figures.segmentation) /* the kernel under the test may be one that has none */
        assert_true(figures.messages < 60);
    queue(socket, &(struct address){.family = ADDRESS_NONE}, 10, 1);
    media_socket_send(socket, &to_a, (const uint8_t *)"copy", 4);
    media_socket_flush(socket);
    media_socket_figures(socket, &figures);
    assert_int_equal(figures.refused, 1);
    assert_int_equal(figures.datagrams, 107);
    media_socket_close(&socket);
    assert_null(socket);
    close(a);
    close(b);
}

/* Linux refuses to cut datagrams of a socket that sends without checksums. */
static void where_the_kernel_refuses_they_leave_one_by_one(void **state)
{
    (void)state;
    struct address to_a, to_b;
    int a = open_receiver(&to_a), b = open_receiver(&to_b), on = 1;
    struct media_socket *socket = open_one(false, 0);
    struct media_socket_figures figures;
    assert_int_equal(setsockopt(media_socket_fd(socket), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on),
                     0);
    for (int i = 0; i < 6; i++)
        send_pattern(socket, a, &to_a, b, &to_b);
    media_socket_figures(socket, &figures);
    assert_false(figures.segmentation);
    assert_int_equal(figures.datagrams, 6 * 106);
    assert_int_equal(figures.messages, 6 * 106);
    assert_int_equal(figures.refused, 0);
    media_socket_close(&socket);
    close(a);
    close(b);
}

static void what_comes_in_is_read_in_batches(void **state)
{
    (void)state;
    struct address from;
    int fd = open_receiver(&from);
    struct media_socket *socket = open_one(false, 0);
    struct media_datagram datagrams[MEDIA_BATCH];
    struct address to;
    struct sockaddr_storage name;
    socklen_t size;
    assert_int_equal(media_socket_receive(socket, datagrams), 0);
    assert_int_equal(address_parse(&to, "127.0.0.1", media_socket_port(socket)), OW_OK);
    address_to_sockaddr(&to, false, &name, &size);
    for (uint8_t i = 0; i < 40; i++)
        assert_int_equal(
            sendto(fd, (uint8_t[]){i, i}, 1 + i % 2, 0, (struct sockaddr *)&name, size), 1 + i % 2);
    int seen = 0;
    while (seen < 40) {
        struct pollfd wait = {.fd = media_socket_fd(socket), .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 5000), 1);
        int count = media_socket_receive(socket, datagrams);
        assert_in_range(count, 1, MEDIA_BATCH);
        for (int i = 0; i < count; i++, seen++) {
            assert_int_equal(datagrams[i].data[0], seen);
            assert_int_equal(datagrams[i].size, 1 + seen % 2);
            assert_true(address_equal(&datagrams[i].from, &from));
        }
    }
    media_socket_close(&socket);
    close(fd);
}

static void a_port_is_shared_only_with_ourselves(void **state)
{
    (void)state;
    struct media_socket *first = open_one(false, 0), *other = NULL;
    struct reason why = {""};
    struct media_socket_settings settings = {
        .bind_address = "127.0.0.1", .port = media_socket_port(first), .shared = true};
    assert_int_equal(media_socket_open(&other, &settings, &why), OW_EEXISTS);
    assert_int_equal(media_socket_share(first), OW_OK);
    struct media_socket *second = open_one(true, media_socket_port(first));
    struct media_socket *third = open_one(true, media_socket_port(first));
    assert_int_equal(media_socket_port(second), media_socket_port(first));
    settings.shared = false; /* the same program once more: its first socket is not shared */
    assert_int_equal(media_socket_open(&other, &settings, &why), OW_EEXISTS);
    assert_null(other);
    media_socket_close(&first);
    media_socket_close(&second);
    media_socket_close(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_to_one_address_leave_together),
        cmocka_unit_test(where_the_kernel_refuses_they_leave_one_by_one),
        cmocka_unit_test(what_comes_in_is_read_in_batches),
        cmocka_unit_test(a_port_is_shared_only_with_ourselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
