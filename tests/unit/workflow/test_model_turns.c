/* Users of one model: real ones, of a tiny file that gives back the picture as a map of classes, so
 * that everybody can tell whose result it got. Needs ONNX Runtime, by OVERWATCH_ONNXRUNTIME or
 * installed. */
#include "onnx_file.h"

#include "core/clock.h"
#include "vision/onnxruntime.h"
#include "workflow/model_turns.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { USERS = 4, ROUNDS = 40, SIDE = 64, TURNS = USERS * ROUNDS };

static char path[64];
static const struct model_thresholds thresholds = {
    .confidence = 0.3F, .iou = 0.5F, .max_detections = 10};

/* One who looks at a red picture with a green field at a place of its own. */
struct user {
    int index;
    struct model_turns *turns;
    struct frame frame;
    uint8_t luma[SIDE * SIDE], u[SIDE / 2 * SIDE / 2], v[SIDE / 2 * SIDE / 2];
    int64_t start_us[ROUNDS];
    int failed, wrong, count;
};

static struct user users[USERS];
static atomic_int order[TURNS], served; /* who, in the order of turns */
static atomic_bool crowd;               /* a turn begins when the others wait */

static int setup(void **state)
{
    (void)state;
    strcpy(path, "/tmp/overwatch-turns-XXXXXX");
    return close(mkstemp(path));
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static void need_runtime(void)
{
    const struct onnxruntime *runtime = NULL;
    struct reason why = {""};
    if (getenv("OVERWATCH_ONNXRUNTIME") != NULL || onnxruntime_get(&runtime, &why) == OW_OK)
        return;
    printf("skip: %s\n", why.text);
    skip();
}

/* One whose map is the picture; `alone`: its runs fail with more than one picture. */
static struct model *open_map(int64_t batch, bool alone)
{
    struct onnx_file file = {
        .inputs = {{"images", ONNX_FLOAT, 4, {batch, 3, SIDE, SIDE}, NULL}},
        .outputs = {{"map", ONNX_FLOAT, 4, {batch, 3, SIDE, SIDE}, NULL}},
        .metadata = {{"task", "segment"}, {"names", "['red', 'green', 'blue']"}},
        .alone = alone,
    };
    struct model *model = NULL;
    struct reason why = {""};
    onnx_file_write(path, &file);
    if (model_open(&model, path, &(struct model_options){.threads = 1, .providers = "cpu"}, &why) !=
        OW_OK)
        fail_msg("%s", why.text);
    return model;
}

/* BT.601. */
static void draw(struct user *user)
{
    memset(user->luma, 82, sizeof user->luma);
    memset(user->u, 90, sizeof user->u);
    memset(user->v, 240, sizeof user->v);
    for (int y = 16; y < 32; y++)
        for (int x = 0; x < 8; x++) {
            int at = 16 * user->index + x;
            user->luma[y * SIDE + at] = 145;
            user->u[y / 2 * SIDE / 2 + at / 2] = 54;
            user->v[y / 2 * SIDE / 2 + at / 2] = 34;
        }
    user->frame = (struct frame){.width = SIDE,
                                 .height = SIDE,
                                 .plane = {user->luma, user->u, user->v},
                                 .stride = {SIDE, SIDE / 2, SIDE / 2},
                                 .matrix = COLOR_BT601};
}

static const struct frame *latest(void *context)
{
    struct user *user = context;
    int64_t limit_us = clock_now_us() + 10000000;
    while (atomic_load(&crowd) && model_turns_waiting(user->turns) < USERS - 1 &&
           clock_now_us() < limit_us)
        sched_yield();
    if (!atomic_load(&crowd)) /* as a slower model would: others come and wait */
        clock_sleep_until_us(clock_now_us() + 300);
    int turn = atomic_fetch_add(&served, 1);
    if (turn < TURNS)
        atomic_store(&order[turn], user->index);
    return &user->frame;
}

static bool is_own(const struct user *user, const struct detections *found)
{
    return found != NULL && found->count == 1 && found->items[0].class_id == 1 &&
           abs((int)found->items[0].x1 - 16 * user->index) <= 1 && (int)found->items[0].y1 == 16;
}

static void *use(void *argument)
{
    struct user *user = argument;
    for (; user->count < ROUNDS && user->failed == 0; user->count++) {
        struct model_turn turn = {.latest = latest, .context = user, .thresholds = &thresholds};
        struct reason why = {""};
        user->failed = model_turns_take(user->turns, &turn, &why);
        user->wrong += !is_own(user, turn.found);
        user->start_us[user->count] = turn.start_us;
        detections_unref(&turn.found);
        if (user->count == ROUNDS - 1)
            atomic_store(&crowd, false); /* the first to end leaves the others alone */
    }
    return NULL;
}

/* All ask again and again; who sees anything but its own picture, or fails, is told. */
static void use_by_all(struct model *model, bool wait_for_all)
{
    pthread_t threads[USERS];
    struct model_turns *turns = NULL;
    assert_int_equal(model_turns_create(&turns, model), OW_OK);
    atomic_store(&served, 0);
    atomic_store(&crowd, wait_for_all);
    for (int i = 0; i < USERS; i++) {
        users[i] = (struct user){.index = i, .turns = turns};
        draw(&users[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < USERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < USERS; i++) {
        assert_int_equal(users[i].failed, OW_OK);
        assert_int_equal(users[i].wrong, 0);
    }
    assert_int_equal(model_turns_waiting(turns), 0);
    model_turns_destroy(&turns);
    assert_null(turns);
}

/* While all are waiting, nobody has had a turn more than another. */
static void nobody_starves(void **state)
{
    (void)state;
    int had[USERS] = {0};
    need_runtime();
    struct model *model = open_map(1, false);
    assert_int_equal(model_info(model)->batch_most, 1);
    use_by_all(model, true);
    model_close(&model);
    for (int turn = 0; turn < TURNS - USERS; turn++) {
        int least = ROUNDS, most = 0;
        had[atomic_load(&order[turn])]++;
        for (int i = 0; i < USERS; i++) {
            least = had[i] < least ? had[i] : least;
            most = had[i] > most ? had[i] : most;
        }
        assert_true(most - least <= 1);
    }
}

static int runs_of_several(void)
{
    int shared = 0;
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < ROUNDS; k++)
            shared += users[0].start_us[i] == users[1].start_us[k];
    return shared;
}

/* A fixed batch takes all that wait; an open one is tried with several. */
static void each_gets_its_own_result_of_a_run_of_several(void **state)
{
    (void)state;
    static const int64_t batches[] = {-1, 3, 16};
    need_runtime();
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct model *model = open_map(batches[i], false);
        assert_int_equal(model_info(model)->batch_most, batches[i] > 0 ? batches[i] : 16);
        assert_int_equal(model_info(model)->batch_least, batches[i] > 0 ? batches[i] : 1);
        use_by_all(model, false);
        model_close(&model);
        assert_true(runs_of_several() > 0);
    }
}

/* As with a file whose graph has a batch of 1 within, whatever it announces. */
static void what_cannot_be_run_together_is_run_one_by_one(void **state)
{
    (void)state;
    need_runtime();
    struct model *model = open_map(-1, true);
    struct model_job jobs[2] = {{.frame = &users[0].frame, .thresholds = &thresholds},
                                {.frame = &users[1].frame, .thresholds = &thresholds}};
    struct reason why = {""};
    for (int i = 0; i < 2; i++)
        draw(&users[i]);
    assert_int_equal(model_info(model)->batch_most, 16);
    assert_int_equal(model_run_batch(model, jobs, 1, &why), OW_OK);
    detections_unref(&jobs[0].found);
    assert_int_equal(model_run_batch(model, jobs, 2, &why), OW_EIO);
    assert_null(jobs[0].found);
    use_by_all(model, false);
    assert_int_equal(runs_of_several(), 0);
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(each_gets_its_own_result_of_a_run_of_several),
        cmocka_unit_test(what_cannot_be_run_together_is_run_one_by_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
