/* A DTLS handshake with a real client whose records the input delivers in any order: repeated, left
 * out, cut, damaged. Afterwards everything is delivered as it should be. Unless a record was
 * damaged the handshake must then come to its end with the same keys on both sides. */
#include "fuzz.h"

#include "../unit/rtc/rtc_peer.h"
#include "rtc/dtls_srtp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum operation {
    DELIVER_TO_SERVER,
    DELIVER_ANY_TO_SERVER, /* early or again */
    DELIVER_ANY_TO_CLIENT,
    LOSE_TO_SERVER,
    DAMAGE,
    CUT,
    DELIVER_TO_CLIENT,
    PASS_TIME,
    OPERATIONS
};

enum {
    MAX_RECORDS = 256,
    MAX_STEPS = 200,
    RECOVERY_ROUNDS = 6,
    RECORD_BYTES = 2048,
    SALT_BYTES = 12, /* of AES-128-GCM */
};

struct records {
    uint8_t data[MAX_RECORDS][RECORD_BYTES];
    size_t size[MAX_RECORDS];
    int count, next; /* before `next` all were delivered or left out */
};

/* The clock of the client's retransmission timer, which OpenSSL reads for itself. */
static int64_t client_us;

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    *now = (struct timeval){.tv_sec = client_us / 1000000, .tv_usec = client_us % 1000000};
    return 0;
}

struct run {
    struct dtls_transport *server;
    struct rtc_peer client;
    struct records to_server, to_client;
    int64_t now_us;
    bool damaged;
};

static void keep(struct records *records, const uint8_t *data, size_t size)
{
    if (records->count == MAX_RECORDS || size > RECORD_BYTES)
        return;
    memcpy(records->data[records->count], data, size);
    records->size[records->count++] = size;
}

static void collect(struct run *run)
{
    uint8_t record[RECORD_BYTES];
    const uint8_t *data;
    size_t size;
    while ((size = rtc_peer_poll(&run->client, record, sizeof(record))) > 0)
        keep(&run->to_server, record, size);
    while (dtls_transport_poll(run->server, &data, &size) == OW_OK) {
        if (size == 0 || size > DTLS_MTU)
            abort();
        keep(&run->to_client, data, size);
    }
}

static void give_server(struct run *run, const uint8_t *data, size_t size)
{
    (void)dtls_transport_receive(run->server, run->now_us, data, size);
    collect(run);
}

static void give_client(struct run *run, const uint8_t *data, size_t size)
{
    rtc_peer_receive(&run->client, data, size);
    collect(run);
}

static void damage(struct run *run, uint8_t argument, uint8_t bit)
{
    uint8_t copy[RECORD_BYTES];
    if (run->to_server.count == 0)
        return;
    int i = argument % run->to_server.count;
    size_t size = run->to_server.size[i];
    memcpy(copy, run->to_server.data[i], size);
    copy[(size_t)argument * 7 % size] ^= (uint8_t)(1u << (bit & 7));
    run->damaged = true;
    give_server(run, copy, size);
}

/* Operation and argument. */
static void step(struct run *run, uint8_t operation, uint8_t argument)
{
    struct records *out = &run->to_server, *in = &run->to_client;
    switch ((enum operation)(operation % OPERATIONS)) {
    case DELIVER_TO_SERVER:
        if (out->next < out->count) {
            int i = out->next++;
            give_server(run, out->data[i], out->size[i]);
        }
        break;
    case DELIVER_ANY_TO_SERVER:
        if (out->count > 0)
            give_server(run, out->data[argument % out->count], out->size[argument % out->count]);
        break;
    case DELIVER_ANY_TO_CLIENT:
        if (in->count > 0)
            give_client(run, in->data[argument % in->count], in->size[argument % in->count]);
        break;
    case LOSE_TO_SERVER:
        out->next += out->next < out->count;
        break;
    case DAMAGE:
        damage(run, argument, operation / OPERATIONS);
        break;
    case CUT:
        if (out->count > 0) {
            int i = argument % out->count;
            run->damaged = true;
            give_server(run, out->data[i], out->size[i] * (operation / OPERATIONS + 1u) / 33);
        }
        break;
    case DELIVER_TO_CLIENT:
        if (in->next < in->count) {
            int i = in->next++;
            give_client(run, in->data[i], in->size[i]);
        }
        break;
    case PASS_TIME:
    case OPERATIONS:
        run->now_us += argument * 20000;
        dtls_transport_handle_timeout(run->server, run->now_us);
        collect(run);
        break;
    }
}

/* What is sent from now on arrives, and both sides repeat what is not answered: the same record
 * delivered again would be a replay, a repeated flight is new records. */
static void recover(struct run *run)
{
    int64_t wait_us = 1000000;
    for (int round = 0; round < RECOVERY_ROUNDS && !run->client.refused; round++) {
        while (run->to_server.next < run->to_server.count ||
               run->to_client.next < run->to_client.count) {
            step(run, DELIVER_TO_SERVER, 0);
            step(run, DELIVER_TO_CLIENT, 0);
        }
        if (run->client.connected && dtls_transport_state(run->server) == DTLS_CONNECTED)
            return;
        run->now_us += wait_us;
        client_us += wait_us + 1;
        wait_us *= 2;
        dtls_transport_handle_timeout(run->server, run->now_us);
        (void)DTLSv1_handle_timeout(run->client.ssl);
        collect(run);
    }
}

static void check(const struct run *run)
{
    struct srtp_keys keys;
    uint8_t material[2 * 16 + 2 * SALT_BYTES];
    bool full = run->to_server.count == MAX_RECORDS || run->to_client.count == MAX_RECORDS;
    bool connected = dtls_transport_state(run->server) == DTLS_CONNECTED;
    if (!run->damaged && !full && !(connected && run->client.connected))
        abort();
    if (!connected || !run->client.connected)
        return;
    if (dtls_transport_keys(run->server, &keys) != OW_OK || keys.profile != SRTP_LINK_GCM_128 ||
        SSL_export_keying_material(run->client.ssl, material, sizeof(material),
                                   "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        abort();
    /* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
    if (memcmp(keys.remote, material, 16) != 0 || memcmp(keys.local, material + 16, 16) != 0 ||
        memcmp(keys.remote + 16, material + 32, SALT_BYTES) != 0 ||
        memcmp(keys.local + 16, material + 32 + SALT_BYTES, SALT_BYTES) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *identity; /* made once a process: a key costs time */
    if (identity == NULL && dtls_identity_create(&identity, 1700000000000000, NULL) != OW_OK)
        abort();
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        abort();
    run->now_us = client_us = 1000000;
    rtc_peer_create(&run->client, "SRTP_AEAD_AES_128_GCM", 0);
    if (dtls_transport_create(&run->server, identity, run->client.fingerprint) != OW_OK)
        abort();
    collect(run);
    for (size_t i = 0; i + 1 < size && i < 2 * MAX_STEPS; i += 2)
        step(run, data[i], data[i + 1]);
    recover(run);
    check(run);
    dtls_transport_destroy(&run->server);
    rtc_peer_destroy(&run->client);
    free(run);
    return 0;
}
