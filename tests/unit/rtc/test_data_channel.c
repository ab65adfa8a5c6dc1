/* The data channel, with an association of the same library as the page: opening, records, loss,
 * closing, and links of several threads. Chromium and aiortc are its peers in tests/e2e and
 * tests/integ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "rtc/data_channel.h"

#include <pthread.h>
#include <string.h>

enum { DCEP = 50, BINARY = 53, STEP_US = 10000 };

/* 1: unordered, given up at the first loss; label "metadata". */
static const uint8_t OPEN[] = "\x03\x81\0\0\0\0\0\0\0\x08\0\0metadata";
enum { OPEN_BYTES = sizeof(OPEN) - 1 };

struct pair {
    struct data_channel ours;
    struct sctp_link *page;
    int64_t now_us;
    bool real; /* the library goes by its own clock, too, when it takes a packet for lost */
    int lose;  /* of our packets the next so many are lost */
    int wakes; /* deadlines that came */
};

static void set_up(struct pair *pair)
{
    memset(pair, 0, sizeof(*pair));
    sctp_link_start();
    assert_int_equal(data_channel_begin(&pair->ours, 0, SCTP_LINK_PORT), OW_OK);
    assert_int_equal(sctp_link_create(&pair->page, 0, SCTP_LINK_PORT), OW_OK);
}

static void tear_down(struct pair *pair)
{
    data_channel_end(&pair->ours);
    sctp_link_destroy(&pair->page);
}

/* Not before its time: whoever has links waits for their deadlines. */
static void handle_timeout(struct pair *pair, struct sctp_link *link)
{
    if (pair->now_us < sctp_link_deadline(link))
        return;
    sctp_link_handle_timeout(link, pair->now_us);
    pair->wakes++;
}

static void run(struct pair *pair, int steps)
{
    uint8_t packet[SCTP_LINK_MTU];
    size_t size;
    for (int i = 0; i < steps; i++) {
        pair->now_us += STEP_US;
        if (pair->real)
            clock_sleep_until_us(clock_now_us() + STEP_US);
        handle_timeout(pair, pair->ours.link);
        handle_timeout(pair, pair->page);
        while (sctp_link_poll(pair->ours.link, packet, &size) == OW_OK)
            if (pair->lose == 0 || pair->lose-- == 0)
                sctp_link_receive(pair->page, pair->now_us, packet, size);
        while (sctp_link_poll(pair->page, packet, &size) == OW_OK)
            data_channel_receive(&pair->ours, pair->now_us, packet, size);
    }
}

static void page_says(struct pair *pair, uint16_t stream, uint32_t protocol, const uint8_t *data,
                      size_t size)
{
    const struct sctp_manner manner = {.stream = stream, .protocol = protocol};
    assert_int_equal(sctp_link_send(pair->page, pair->now_us, &manner, data, size), OW_OK);
    run(pair, 4);
}

static void open_channel(struct pair *pair, uint16_t stream)
{
    struct sctp_message message;
    run(pair, 10);
    page_says(pair, stream, DCEP, OPEN, OPEN_BYTES);
    assert_true(pair->ours.open);
    assert_int_equal(sctp_link_read(pair->page, &message), OW_OK);
    assert_int_equal(message.protocol, DCEP);
    assert_int_equal(message.stream, stream);
    assert_int_equal(message.size, 1);
    assert_int_equal(message.data[0], 0x02);
}

static void test_parse_open(void **state)
{
    (void)state;
    struct dcep_open open;
    assert_int_equal(dcep_parse_open(&open, OPEN, OPEN_BYTES), OW_OK);
    assert_true(open.unordered && open.unreliable);
    assert_int_equal(open.label_size, 8);
    for (size_t cut = 0; cut < OPEN_BYTES; cut++)
        assert_int_equal(dcep_parse_open(&open, OPEN, cut), OW_EPARSE);
    uint8_t other[OPEN_BYTES];
    memcpy(other, OPEN, sizeof(other));
    other[1] = 0x00;
    assert_int_equal(dcep_parse_open(&open, other, sizeof(other)), OW_OK);
    assert_false(open.unordered || open.unreliable);
    other[1] = 0x03;
    assert_int_equal(dcep_parse_open(&open, other, sizeof(other)), OW_EPARSE);
    other[1] = 0x81;
    other[8] = 0xff; /* a label longer than the message */
    assert_int_equal(dcep_parse_open(&open, other, sizeof(other)), OW_EPARSE);
}

static void test_records_arrive(void **state)
{
    (void)state;
    struct pair pair;
    struct sctp_message message;
    uint8_t record[500];
    memset(record, 7, sizeof(record));
    set_up(&pair);
    assert_int_equal(data_channel_send(&pair.ours, pair.now_us, record, sizeof(record)), OW_EAGAIN);
    open_channel(&pair, 2);
    for (int i = 0; i < 20; i++) {
        record[0] = (uint8_t)i;
        assert_int_equal(data_channel_send(&pair.ours, pair.now_us, record, sizeof(record)), OW_OK);
        run(&pair, 1);
        assert_int_equal(sctp_link_read(pair.page, &message), OW_OK);
        assert_int_equal(message.protocol, BINARY);
        assert_int_equal(message.stream, 2);
        assert_int_equal(message.size, sizeof(record));
        assert_int_equal(message.data[0], i);
    }
    assert_int_equal(sctp_link_read(pair.page, &message), OW_EAGAIN);
    tear_down(&pair);
}

/* Nothing of a lost record comes later, and those behind it do not wait for it. */
static void test_lost_records_stay_lost(void **state)
{
    (void)state;
    struct pair pair;
    struct sctp_message message;
    uint8_t seen[40] = {0};
    set_up(&pair);
    open_channel(&pair, 0);
    for (int i = 0; i < (int)sizeof(seen); i++) {
        pair.lose = i == 10 || i == 20 ? 1 : 0;
        assert_int_equal(data_channel_send(&pair.ours, pair.now_us, &(uint8_t){(uint8_t)i}, 1),
                         OW_OK);
        run(&pair, 3);
        while (sctp_link_read(pair.page, &message) == OW_OK)
            seen[message.data[0]]++;
        assert_int_equal(seen[i], pair.lose == 0 && i != 10 && i != 20 ? 1 : 0);
    }
    run(&pair, 300);
    assert_int_equal(sctp_link_read(pair.page, &message), OW_EAGAIN);
    assert_int_equal(seen[10] + seen[20], 0);
    tear_down(&pair);
}

/* A viewer that acknowledges nothing costs no more than the send buffer, and gets what is new once
 * it is back. */
static void test_no_backlog(void **state)
{
    (void)state;
    struct pair pair;
    struct sctp_message message;
    uint8_t record[1000] = {0};
    int taken = 0, arrived = 0;
    set_up(&pair);
    open_channel(&pair, 0);
    pair.real = true;
    pair.lose = INT32_MAX;
    for (int i = 0; i < 100; i++) {
        taken += data_channel_send(&pair.ours, pair.now_us, record, sizeof(record)) == OW_OK;
        run(&pair, 1);
    }
    assert_true(taken * (int)sizeof(record) < 2 * SCTP_LINK_SEND_BYTES);
    pair.lose = 0;
    for (int i = 0; i < 120; i++) {
        run(&pair, 1);
        while (sctp_link_read(pair.page, &message) == OW_OK)
            ;
    }
    record[0] = 1;
    for (int i = 0; i < 10; i++) {
        (void)data_channel_send(&pair.ours, pair.now_us, record, sizeof(record));
        run(&pair, 3);
    }
    for (int i = 0; i < 200 && arrived < 10; i++) {
        run(&pair, 1);
        while (sctp_link_read(pair.page, &message) == OW_OK)
            arrived += message.data[0];
    }
    assert_int_equal(arrived, 10);
    tear_down(&pair);
}

static void test_other_channels_are_closed(void **state)
{
    (void)state;
    static const uint8_t chat[] = "\x03\x00\0\0\0\0\0\0\0\x04\0\0chat";
    struct pair pair;
    struct sctp_message message;
    set_up(&pair);
    run(&pair, 10);
    page_says(&pair, 4, DCEP, chat, sizeof(chat) - 1);
    assert_false(pair.ours.open);
    run(&pair, 10);
    assert_int_equal(sctp_link_read(pair.page, &message), OW_OK);
    assert_true(message.reset);
    assert_int_equal(message.stream, 4);
    tear_down(&pair);
}

static void test_a_closed_channel_is_quiet(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    open_channel(&pair, 0);
    sctp_link_reset(pair.page, pair.now_us, 0);
    run(&pair, 20);
    assert_false(pair.ours.open);
    assert_int_equal(data_channel_send(&pair.ours, pair.now_us, OPEN, 1), OW_EAGAIN);
    tear_down(&pair);
}

static void test_parse_wish(void **state)
{
    (void)state;
    static const uint8_t wish[] = {1, 1, 0x01, 0x2c, 99};
    struct record_wish read = {0};
    assert_int_equal(record_wish_parse(&read, wish, sizeof(wish)), OW_OK);
    assert_true(read.vector);
    assert_int_equal(read.per_10s, 300);
    for (size_t cut = 0; cut < RECORD_WISH_BYTES; cut++)
        assert_int_equal(record_wish_parse(&read, wish, cut), OW_EPARSE);
    assert_int_equal(record_wish_parse(&read, (const uint8_t[]){2, 1, 0, 0}, 4), OW_EPARSE);
    assert_int_equal(read.per_10s, 300);
}

/* What a page wants counts from its word until its channel closes; other words change nothing. */
static void test_wishes(void **state)
{
    (void)state;
    static const uint8_t few[] = {1, 1, 0, 50}, none[] = {1, 0, 0, 0}, other[] = {7, 1, 0, 9};
    struct pair pair;
    set_up(&pair);
    open_channel(&pair, 2);
    assert_int_equal(pair.ours.wish.per_10s, RECORD_WISH_EACH);
    assert_false(pair.ours.wish.vector);
    page_says(&pair, 2, BINARY, few, sizeof(few));
    assert_int_equal(pair.ours.wish.per_10s, 50);
    assert_true(pair.ours.wish.vector);
    page_says(&pair, 2, BINARY, other, sizeof(other));
    page_says(&pair, 2, BINARY, none, sizeof(none) - 1);
    page_says(&pair, 2, 51, none, sizeof(none)); /* a text */
    page_says(&pair, 4, BINARY, none, sizeof(none));
    assert_int_equal(pair.ours.wish.per_10s, 50);
    page_says(&pair, 2, BINARY, none, sizeof(none));
    assert_int_equal(pair.ours.wish.per_10s, 0);
    sctp_link_reset(pair.page, pair.now_us, 2);
    run(&pair, 20);
    assert_int_equal(pair.ours.wish.per_10s, RECORD_WISH_EACH);
    tear_down(&pair);
}

/* What is not acknowledged yet is known, so that no more need be put behind it. */
static void test_waiting(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    open_channel(&pair, 0);
    run(&pair, 30);
    assert_int_equal(sctp_link_waiting(pair.ours.link), 0);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(data_channel_send(&pair.ours, pair.now_us, OPEN, OPEN_BYTES), OW_OK);
        assert_int_equal(sctp_link_waiting(pair.ours.link), i);
    }
    run(&pair, 30);
    assert_int_equal(sctp_link_waiting(pair.ours.link), 0);
    tear_down(&pair);
}

/* Of thousands that stand each would cost its share: one on which nothing is under way sleeps, and
 * one that is used often is not woken besides. */
static void test_sleep(void **state)
{
    (void)state;
    enum { SECOND = 1000000 / STEP_US };
    struct pair pair;
    set_up(&pair);
    open_channel(&pair, 0);
    run(&pair, 3 * SECOND);
    assert_int_equal(sctp_link_deadline(pair.ours.link), INT64_MAX);
    assert_int_equal(sctp_link_deadline(pair.page), INT64_MAX);
    pair.wakes = 0;
    run(&pair, 10 * SECOND);
    assert_int_equal(pair.wakes, 0);

    for (int i = 0; i < 50; i++) {
        assert_int_equal(data_channel_send(&pair.ours, pair.now_us, OPEN, OPEN_BYTES), OW_OK);
        run(&pair, SECOND / 5);
    }
    assert_in_range(pair.wakes, 0, 50); /* the page's, for its acknowledgements */
    assert_true(sctp_link_deadline(pair.ours.link) <= pair.now_us + SCTP_LINK_WAKE_US);
    run(&pair, 3 * SECOND);
    assert_int_equal(sctp_link_waiting(pair.ours.link), 0);
    assert_int_equal(sctp_link_deadline(pair.ours.link), INT64_MAX);
    tear_down(&pair);
}

/* Nobody sends or asks for anything else, and still what was lost is settled before it sleeps. */
static void test_no_sleep_before_all_is_settled(void **state)
{
    (void)state;
    struct pair pair;
    set_up(&pair);
    open_channel(&pair, 0);
    run(&pair, 300);
    assert_int_equal(sctp_link_deadline(pair.ours.link), INT64_MAX);
    pair.real = true;
    pair.lose = 1;
    assert_int_equal(data_channel_send(&pair.ours, pair.now_us, OPEN, OPEN_BYTES), OW_OK);
    run(&pair, 1);
    assert_int_equal(pair.lose, 0);
    for (int i = 0; i < 500 && sctp_link_waiting(pair.ours.link) > 0; i++)
        run(&pair, 1);
    assert_int_equal(sctp_link_waiting(pair.ours.link), 0);
    assert_true(sctp_link_deadline(pair.ours.link) < INT64_MAX);
    pair.real = false;
    run(&pair, 300);
    assert_int_equal(sctp_link_deadline(pair.ours.link), INT64_MAX);
    tear_down(&pair);
}

/* What a page says is not read before the channel is open, be it short, long, or of no known kind.
 */
static void test_words_of_the_page(void **state)
{
    (void)state;
    uint8_t much[8000] = {DCEP};
    struct pair pair;
    set_up(&pair);
    run(&pair, 10);
    page_says(&pair, 0, BINARY, much, 100);
    page_says(&pair, 0, DCEP, much, 1);
    page_says(&pair, 0, DCEP, OPEN, OPEN_BYTES - 1);
    page_says(&pair, 1, DCEP, much, sizeof(much));
    run(&pair, 20);
    assert_false(pair.ours.open);
    open_channel(&pair, 0);
    tear_down(&pair);
}

static void test_garbage(void **state)
{
    (void)state;
    struct pair pair;
    uint8_t packet[SCTP_LINK_MTU] = {0x13, 0x88, 0x13, 0x88};
    set_up(&pair);
    for (size_t size = 0; size < 200; size++)
        data_channel_receive(&pair.ours, 0, packet, size);
    open_channel(&pair, 0);
    tear_down(&pair);
}

static void *use_links(void *failed)
{
    for (int round = 0; round < 15; round++) {
        struct pair pair;
        struct sctp_message message;
        memset(&pair, 0, sizeof(pair));
        bool made = data_channel_begin(&pair.ours, 0, SCTP_LINK_PORT) == OW_OK &&
                    sctp_link_create(&pair.page, 0, SCTP_LINK_PORT) == OW_OK;
        const struct sctp_manner manner = {.protocol = DCEP};
        for (int i = 0; made && i < 500 && !pair.ours.open; i++) {
            run(&pair, 1);
            (void)sctp_link_send(pair.page, pair.now_us, &manner, OPEN, OPEN_BYTES);
        }
        int arrived = 0;
        for (int i = 0; made && i < 200; i++) {
            (void)data_channel_send(&pair.ours, pair.now_us, OPEN, OPEN_BYTES);
            run(&pair, 1);
            while (sctp_link_read(pair.page, &message) == OW_OK)
                arrived += message.protocol == BINARY;
        }
        *(bool *)failed |= arrived < 190;
        tear_down(&pair);
    }
    return NULL;
}

/* The library's timers are everybody's: links come, work and go on four threads at once. */
static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    bool failed[THREADS] = {false};
    sctp_link_start();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_links, &failed[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_false(failed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_open),
        cmocka_unit_test(test_records_arrive),
        cmocka_unit_test(test_lost_records_stay_lost),
        cmocka_unit_test(test_no_backlog),
        cmocka_unit_test(test_other_channels_are_closed),
        cmocka_unit_test(test_a_closed_channel_is_quiet),
        cmocka_unit_test(test_parse_wish),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_no_sleep_before_all_is_settled),
        cmocka_unit_test(test_words_of_the_page),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
