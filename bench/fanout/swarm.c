/* A swarm of viewers for the fan-out bench. What signalling finds out comes on standard input, a
 * line each; what is measured goes to standard output as lines of JSON. See run.mjs.
 *
 *   swarm TRANSPORT_CC_ID controlling|controlled RECORDS   records in ten seconds that each viewer
 *                                                          wants, 65535 = each, 0 = no channel
 *   > {"ufrag":…,"pwd":…,"fingerprint":…}         its own, the same for all viewers
 *   < add UFRAG PWD IP PORT                       a viewer: the server's credentials and address
 *   < reset                                       figures begin anew
 *   > {"viewers":…,"connected":…,"packets":…,…}   once a second, since the last reset
 */
#include "swarm_viewer.h"

#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_VIEWERS = 8192, EVENTS = 256, TICK_US = 10000, BUFFER_BYTES = 65536 };

struct room {
    struct swarm swarm;
    int epoll_fd;
    int count, next_tick; /* viewers; the one whose turn is next */
    int64_t ticked_us, told_us, reset_us;
    char line[1024];
    size_t line_size;
    bool over;
    struct swarm_viewer *viewers[MAX_VIEWERS];
};

static int accept_any(X509_STORE_CTX *store, void *unused)
{
    (void)store;
    (void)unused;
    return 1;
}

static bool make_context(struct swarm *swarm, uint8_t fingerprint[32])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    bool done = X509_sign(certificate, key, EVP_sha256()) > 0 &&
                X509_digest(certificate, EVP_sha256(), fingerprint, NULL) == 1;
    swarm->context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_options(swarm->context, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(swarm->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(swarm->context, accept_any, NULL);
    SSL_CTX_use_certificate(swarm->context, certificate);
    SSL_CTX_use_PrivateKey(swarm->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return done && SSL_CTX_set_tlsext_use_srtp(swarm->context,
                                               "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0;
}

static void introduce(const struct swarm *swarm, const uint8_t fingerprint[32])
{
    printf("{\"ufrag\":\"%s\",\"pwd\":\"%s\",\"fingerprint\":\"", swarm->ufrag, swarm->pwd);
    for (int i = 0; i < 32; i++)
        printf("%02X%s", fingerprint[i], i < 31 ? ":" : "");
    puts("\"}");
    fflush(stdout);
}

/* -- commands -- */

static void add_viewer(struct room *room, const char *line)
{
    char ufrag[260], pwd[260], ip[64];
    unsigned port;
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (room->count == MAX_VIEWERS ||
        sscanf(line, "add %255s %255s %63s %u", ufrag, pwd, ip, &port) != 4 ||
        inet_pton(AF_INET, ip, &server.sin_addr) != 1)
        return;
    server.sin_port = htons((uint16_t)port);
    struct swarm_viewer *viewer = malloc(sizeof *viewer);
    if (!viewer || !swarm_viewer_open(viewer, &room->swarm, ufrag, pwd, &server, clock_now_us())) {
        room->swarm.failed++;
        free(viewer);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
    epoll_ctl(room->epoll_fd, EPOLL_CTL_ADD, viewer->fd, &event);
    room->viewers[room->count++] = viewer;
}

static void obey(struct room *room, const char *line)
{
    if (strncmp(line, "add ", 4) == 0) {
        add_viewer(room, line);
    } else if (strcmp(line, "reset") == 0) {
        memset(&room->swarm.counts, 0, sizeof room->swarm.counts);
        room->reset_us = clock_now_us();
    }
}

static void read_commands(struct room *room)
{
    ssize_t size = read(0, room->line + room->line_size, sizeof room->line - 1 - room->line_size);
    if (size <= 0) {
        room->over = size == 0 || errno != EINTR;
        return;
    }
    room->line_size += (size_t)size;
    room->line[room->line_size] = '\0';
    char *at = room->line, *end;
    while ((end = strchr(at, '\n'))) {
        *end = '\0';
        obey(room, at);
        at = end + 1;
    }
    room->line_size = strlen(at);
    memmove(room->line, at, room->line_size + 1);
}

/* -- figures -- */

static double quantile_ms(const struct swarm_counts *counts, double part)
{
    uint64_t seen = 0;
    for (int i = 0; i < SWARM_LATE_BUCKETS; i++) {
        seen += counts->lateness[i];
        if ((double)seen >= part * (double)counts->timed && seen > 0)
            return (i + 0.5) / 2;
    }
    return 0;
}

static double own_cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void tell(struct room *room, int64_t now_us)
{
    const struct swarm_counts *counts = &room->swarm.counts;
    printf("{\"viewers\":%d,\"connected\":%d,\"failed\":%d,\"seconds\":%.3f,\"packets\":%" PRIu64
           ",\"bytes\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"timed\":%" PRIu64
           ",\"late\":%" PRIu64 ",\"decrypted\":%" PRIu64 ",\"broken\":%" PRIu64
           ",\"records\":%" PRIu64 ",\"record_bytes\":%" PRIu64
           ",\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"cpu\":%.3f}\n",
           room->count, room->swarm.connected, room->swarm.failed,
           (double)(now_us - room->reset_us) / 1e6, counts->packets, counts->bytes, counts->lost,
           counts->frames, counts->timed, counts->late, counts->decrypted, counts->broken,
           counts->records, counts->record_bytes, quantile_ms(counts, 0.5),
           quantile_ms(counts, 0.99), quantile_ms(counts, 0.999), (double)counts->latest_us / 1000,
           own_cpu_s());
    fflush(stdout);
}

/* -- the loop -- */

/* What the kernel adds: the size of the datagrams that came as one (UDP_GRO), and when they came.
 * The latter counts, not when the swarm, which is one process for thousands of machines, gets to
 * it. */
static int64_t read_control(struct msghdr *message, int *segment)
{
    int64_t came_us = clock_now_us();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct timespec at;
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            memcpy(segment, CMSG_DATA(c), sizeof *segment);
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS)
            continue;
        memcpy(&at, CMSG_DATA(c), sizeof at);
        int64_t wall_us = (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
        came_us -= clock_wall_us() - wall_us;
    }
    return came_us;
}

static void receive(struct swarm_viewer *viewer)
{
    static uint8_t data[BUFFER_BYTES];
    _Alignas(
        struct cmsghdr) char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec))];
    for (int i = 0; i < 4; i++) {
        struct iovec part = {data, sizeof data};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t size = recvmsg(viewer->fd, &message, MSG_DONTWAIT);
        if (size <= 0)
            return;
        int segment = (int)size;
        int64_t came_us = read_control(&message, &segment);
        for (ssize_t at = 0; at < size && segment > 0; at += segment)
            swarm_viewer_receive(viewer, came_us, data + at,
                                 (size_t)(size - at < segment ? size - at : segment));
    }
}

/* Every viewer once in TICK_US, a part of them at a time. */
static void tick(struct room *room, int64_t now_us)
{
    int64_t passed_us = now_us - room->ticked_us;
    int due = (int)(passed_us * room->count / TICK_US);
    if (due == 0)
        return;
    room->ticked_us = now_us;
    for (int i = 0; i < due && i < room->count; i++) {
        room->next_tick = (room->next_tick + 1) % room->count;
        swarm_viewer_tick(room->viewers[room->next_tick], now_us);
    }
}

static void run(struct room *room)
{
    while (!room->over) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(room->epoll_fd, events, EVENTS, 5);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == room)
                read_commands(room);
            else
                receive(events[i].data.ptr);
        }
        int64_t now_us = clock_now_us();
        tick(room, now_us);
        if (now_us - room->told_us >= 1000000) {
            room->told_us = now_us;
            tell(room, now_us);
        }
    }
}

int main(int argc, char **argv)
{
    static struct room room;
    uint8_t fingerprint[32];
    if (argc != 4) {
        fprintf(stderr, "usage: swarm TRANSPORT_CC_ID controlling|controlled RECORDS\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    room.swarm.ufrag = "swrm";
    room.swarm.pwd = "swarmswarmswarmswarmswarm";
    room.swarm.transport_cc_id = atoi(argv[1]);
    room.swarm.controlling = strcmp(argv[2], "controlling") == 0;
    room.swarm.records_per_10s = atoi(argv[3]);
    sctp_link_start();
    random_system(&room.swarm.random);
    room.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &room};
    if (room.epoll_fd < 0 || epoll_ctl(room.epoll_fd, EPOLL_CTL_ADD, 0, &event) != 0 ||
        srtp_init() != srtp_err_status_ok || !make_context(&room.swarm, fingerprint))
        return 1;
    room.told_us = room.reset_us = room.ticked_us = clock_now_us();
    introduce(&room.swarm, fingerprint);
    run(&room);
    for (int i = 0; i < room.count; i++) {
        swarm_viewer_close(room.viewers[i]);
        free(room.viewers[i]);
    }
    SSL_CTX_free(room.swarm.context);
    return 0;
}
