/* Which port the server takes, in a network of its own where few are free. */
#include "net/media_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIRST = 40000, PORTS = 4, TAKEN = 2, ROUNDS = 20 };

static int listen_at(uint16_t port)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* False where that is not allowed. */
static bool enter_own_network(void)
{
    static const char range[] = "40000 40003";
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
    close(fd);
    fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
    bool set = fd >= 0 && write(fd, range, sizeof range - 1) == sizeof range - 1;
    close(fd);
    return up && set;
}

static void a_chosen_port_is_free_for_udp_and_tcp(void **state)
{
    (void)state;
    int taken[TAKEN];
    if (!enter_own_network())
        skip();
    for (int i = 0; i < TAKEN; i++)
        taken[i] = listen_at((uint16_t)(FIRST + i));
    const struct media_server_settings settings = {.loopback_only = true, .threads = 1};
    for (int round = 0; round < ROUNDS; round++) {
        struct media_server *server = NULL;
        struct reason why = {""};
        assert_int_equal(media_server_start(&server, &settings, &why), OW_OK);
        assert_in_range(media_server_port(server), FIRST + TAKEN, FIRST + PORTS - 1);
        media_server_stop(&server);
    }
    for (int i = 0; i < TAKEN; i++)
        close(taken[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chosen_port_is_free_for_udp_and_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
