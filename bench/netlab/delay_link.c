/* A link between two network namespaces with a fixed delay and random loss, for machines whose
 * kernel has no netem.
 *
 *   delay_link NAMESPACE_A NAMESPACE_B DELAY_US [SEED]
 *
 * Makes a TUN device "lab0" in each namespace (ip-netns(8) names) and carries what is sent into one
 * to the other, DELAY_US later. Reads commands from standard input, one a line: "loss PERCENT"
 * drops that part of the packets from A to B. "ready" is printed when the devices are there;
 * addresses, queues and "up" are the caller's. Ends with its input; the devices go with it. */
#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PACKET_BYTES = 1600, RING_PACKETS = 8192, MAX_DELAY_US = 5000000 };

struct packet {
    int64_t due_us;
    size_t size;
    uint8_t data[PACKET_BYTES];
};

/* One direction: what was read from `from` waits in the ring until it is due at `to`. */
struct direction {
    int from, to;
    size_t first, count;
    uint64_t carried, lost, overflowed;
    struct packet *ring;
};

struct link {
    struct direction way[2];
    int64_t delay_us;
    double loss; /* of the packets of way[0], 0..1 */
    uint64_t random;
    char line[128]; /* of commands, as far as it has come */
    size_t line_size;
};

/* xorshift64*: the same seed drops the same packets. */
static double next_random(struct link *link)
{
    link->random ^= link->random >> 12;
    link->random ^= link->random << 25;
    link->random ^= link->random >> 27;
    return (double)((link->random * 0x2545f4914f6cdd1dULL) >> 11) / 9007199254740992.0;
}

/* A TUN device in a namespace; -1 with errno. */
static int open_device(const char *name)
{
    char path[256];
    int there = -1, device = -1;
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/run/netns/%s", name);
    there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0)
        goto end;
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "lab0");
    device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (device >= 0 && ioctl(device, TUNSETIFF, &request) < 0) {
        close(device);
        device = -1;
    }
    if (setns(home, CLONE_NEWNET) < 0 && device >= 0) {
        close(device);
        device = -1;
    }
end:
    if (home >= 0)
        close(home);
    if (there >= 0)
        close(there);
    return device;
}

/* Takes everything that the device has. */
static void take(struct link *link, struct direction *way, int64_t now_us)
{
    uint8_t spill[PACKET_BYTES];
    for (;;) {
        bool full = way->count == RING_PACKETS;
        struct packet *packet = &way->ring[(way->first + way->count) % RING_PACKETS];
        ssize_t size = read(way->from, full ? spill : packet->data, PACKET_BYTES);
        if (size <= 0)
            return;
        if (way == &link->way[0] && next_random(link) < link->loss) {
            way->lost++;
        } else if (full) {
            way->overflowed++;
        } else {
            packet->size = (size_t)size;
            packet->due_us = now_us + link->delay_us;
            way->count++;
        }
    }
}

static void give(struct direction *way, int64_t now_us)
{
    while (way->count > 0 && way->ring[way->first].due_us <= now_us) {
        struct packet *packet = &way->ring[way->first];
        /* A device that takes nothing is down: the packet is lost, as on any link. */
        if (write(way->to, packet->data, packet->size) >= 0)
            way->carried++;
        way->first = (way->first + 1) % RING_PACKETS;
        way->count--;
    }
}

static void obey(struct link *link, const char *line)
{
    double percent;
    if (sscanf(line, "loss %lf", &percent) == 1 && percent >= 0 && percent <= 100)
        link->loss = percent / 100;
    else
        fprintf(stderr, "delay_link: \"%s\" is not understood\n", line);
}

/* False when the input has ended. */
static bool read_commands(struct link *link)
{
    char bytes[64];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    for (ssize_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            link->line[link->line_size] = '\0';
            link->line_size = 0;
            obey(link, link->line);
        } else if (link->line_size + 1 < sizeof link->line) {
            link->line[link->line_size++] = bytes[i];
        }
    }
    return size > 0 || (size < 0 && errno == EINTR);
}

static int64_t next_due_us(const struct link *link)
{
    int64_t due_us = INT64_MAX;
    for (int i = 0; i < 2; i++) {
        const struct direction *way = &link->way[i];
        if (way->count > 0 && way->ring[way->first].due_us < due_us)
            due_us = way->ring[way->first].due_us;
    }
    return due_us;
}

static void run(struct link *link)
{
    struct pollfd files[] = {{.fd = link->way[0].from, .events = POLLIN},
                             {.fd = link->way[1].from, .events = POLLIN},
                             {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        int64_t due_us = next_due_us(link), now_us = clock_now_us();
        int64_t wait_us = due_us == INT64_MAX ? 1000000 : due_us > now_us ? due_us - now_us : 0;
        struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
        int ready = ppoll(files, 3, &wait, NULL);
        if (ready < 0 && errno != EINTR)
            return;
        now_us = clock_now_us();
        for (int i = 0; i < 2 && ready > 0; i++) {
            if (files[i].revents != 0)
                take(link, &link->way[i], now_us);
        }
        for (int i = 0; i < 2; i++)
            give(&link->way[i], now_us);
        if (ready > 0 && files[2].revents != 0 && !read_commands(link))
            return;
    }
}

static int start(struct link *link, char **arguments)
{
    for (int i = 0; i < 2; i++) {
        link->way[i].from = open_device(arguments[1 + i]);
        link->way[i].ring = calloc(RING_PACKETS, sizeof *link->way[i].ring);
        if (link->way[i].from < 0 || link->way[i].ring == NULL) {
            fprintf(stderr, "delay_link: no device in namespace %s: %s\n", arguments[1 + i],
                    strerror(errno));
            return -1;
        }
    }
    link->way[0].to = link->way[1].from;
    link->way[1].to = link->way[0].from;
    puts("ready");
    return fflush(stdout);
}

int main(int argc, char **argv)
{
    struct link link = {.way = {{.from = -1}, {.from = -1}}};
    link.delay_us = argc >= 4 ? strtol(argv[3], NULL, 10) : -1;
    link.random = argc == 5 ? strtoul(argv[4], NULL, 10) : 1;
    if (argc < 4 || argc > 5 || link.delay_us < 0 || link.delay_us > MAX_DELAY_US ||
        link.random == 0) {
        fprintf(stderr, "usage: delay_link NAMESPACE_A NAMESPACE_B DELAY_US [SEED]\n");
        return 2;
    }
    int rc = start(&link, argv);
    if (rc == 0) {
        run(&link);
        fprintf(stderr, "delay_link: %llu carried, %llu lost, %llu overflowed; back %llu carried\n",
                (unsigned long long)link.way[0].carried, (unsigned long long)link.way[0].lost,
                (unsigned long long)link.way[0].overflowed,
                (unsigned long long)link.way[1].carried);
    }
    for (int i = 0; i < 2; i++) {
        if (link.way[i].from >= 0)
            close(link.way[i].from);
        free(link.way[i].ring);
    }
    return rc == 0 ? 0 : 1;
}
