/* What becomes of single settings: of files of other versions, and of what is set anew. */
#include "workflow/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct node_type *model;

static int setup(void **state)
{
    (void)state;
    model = node_type_find("model");
    return model ? 0 : -1;
}

/* A source, and a node of this type behind it. */
static json_t *workflow(const char *type, json_t *data)
{
    return json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s, s:o}], s:[{s:s, s:s}]}", "id", "w", "nodes",
                     "id", "s", "type", "testPattern", "id", "n", "type", type, "data", data,
                     "edges", "source", "s", "target", "n");
}

static const json_t *first(const json_t *report, const char *list, const char *setting)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(report, list), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "setting"));
        if (name && strcmp(name, setting) == 0)
            return entry;
    }
    return NULL;
}

static void a_choice_of_another_version_is_a_warning_and_the_default(void **state)
{
    (void)state;
    static const struct {
        const char *type, *setting, *value, *used;
    } cases[] = {
        {"model", "xrayMode", "depth", "boxes"},
        {"model", "xrayMode", "Masks", "boxes"},
        {"model", "colorScheme", "sepia", "default"},
        {"videoPreviewWebRTC", "bitratePreset", "ultra", "balanced"},
        {"videoPreview", "boxTiming", "later", "predict"},
        {"videoPreview", "layout", "stacked", "xray"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json =
            workflow(cases[i].type, json_pack("{s:s}", cases[i].setting, cases[i].value));
        json_t *report = NULL;
        struct graph *graph = NULL;
        assert_int_equal(graph_parse(&graph, json, &report), OW_OK);
        const json_t *warning = first(report, "warnings", cases[i].setting);
        assert_non_null(warning);
        const char *message = json_string_value(json_object_get(warning, "message"));
        assert_non_null(strstr(message, cases[i].value));
        const struct graph_node *node = &graph->nodes[1];
        assert_string_equal(setting_text(node->data, node->type->settings, cases[i].setting),
                            cases[i].used);
        /* It is kept, for the version that knows it. */
        assert_string_equal(json_string_value(json_object_get(node->data, cases[i].setting)),
                            cases[i].value);
        json_decref(report);
        json_decref(json);
        graph_destroy(&graph);
    }
}

static void whoever_sets_such_a_choice_is_told(void **state)
{
    (void)state;
    json_t *node = json_pack("{s:s, s:s}", "id", "m", "type", "model");
    json_t *depth = json_pack("{s:s}", "xrayMode", "depth"),
           *both = json_pack("{s:s, s:n}", "xrayMode", "both", "colorScheme");
    struct reason why = {""};
    assert_int_equal(graph_check_change(node, depth, &why), OW_EINVAL);
    assert_non_null(strstr(why.text, "xrayMode"));
    assert_non_null(strstr(why.text, "heatmap"));
    assert_int_equal(graph_check_change(node, both, &why), OW_OK);
    json_decref(depth);
    json_decref(both);
    json_decref(node);
}

static void read_model(json_t *data, int expected, struct model_node_settings *out,
                       struct reason *why)
{
    json_t *json = workflow("model", data), *report = NULL;
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), expected);
    if (expected == OW_OK)
        assert_int_equal(model->configure_model(graph->nodes[1].data, out, why), OW_OK);
    else
        reason_set(why, 0, "%s",
                   json_string_value(json_object_get(
                       json_array_get(json_object_get(report, "errors"), 0), "message")));
    json_decref(report);
    json_decref(json);
    graph_destroy(&graph);
}

static void modes_are_read(void **state)
{
    (void)state;
    struct model_node_settings s;
    struct reason why = {""};
    for (int i = 0; xray_mode_names[i]; i++) {
        read_model(json_pack("{s:s}", "xrayMode", xray_mode_names[i]), OW_OK, &s, &why);
        assert_int_equal(s.style.mode, i);
    }
    read_model(json_pack("{s:s}", "xrayMode", "both"), OW_OK, &s, &why);
    assert_int_equal(s.style.mode, XRAY_BOXES_HEATMAP);
    read_model(json_pack("{s:s, s:b}", "xrayMode", "heatmap", "schematicMode", 1), OW_OK, &s, &why);
    assert_int_equal(s.style.mode, XRAY_SCHEMATIC);
    read_model(json_object(), OW_OK, &s, &why);
    assert_true(s.style.overlay_alpha > 0.49f && s.style.overlay_alpha < 0.51f);
    assert_true(s.style.heatmap_intensity > 0.69f && s.style.heatmap_intensity < 0.71f);
}

static void colors_are_read(void **state)
{
    (void)state;
    struct model_node_settings s;
    struct reason why = {""};
    read_model(json_pack("{s:{s:s, s:s}}", "customColors", "car", "#Ff8800", "7", "#00000a"), OW_OK,
               &s, &why);
    assert_int_equal(s.style.custom_count, 2);
    assert_string_equal(s.style.custom[0].name, "car");
    assert_int_equal(s.style.custom[0].color.r, 0xff);
    assert_int_equal(s.style.custom[0].color.g, 0x88);
    assert_int_equal(s.style.custom[0].color.b, 0);
    assert_string_equal(s.style.custom[1].name, "7");
    assert_int_equal(s.style.custom[1].color.b, 10);

    static const char *const bad[] = {"ff8800", "#ff880", "#ff88000", "#ff88gg", "red", "#", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        read_model(json_pack("{s:{s:s}}", "customColors", "car", bad[i]), OW_EPARSE, &s, &why);
        assert_non_null(strstr(why.text, "customColors"));
        assert_non_null(strstr(why.text, "car"));
    }
    read_model(json_pack("{s:{s:i}}", "customColors", "car", 7), OW_EPARSE, &s, &why);
    read_model(json_pack("{s:[s]}", "customColors", "#ff8800"), OW_EPARSE, &s, &why);

    json_t *many = json_object();
    for (int i = 0; i <= XRAY_CUSTOM_COLORS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "class %d", i);
        json_object_set_new(many, name, json_string("#ff8800"));
    }
    read_model(json_pack("{s:o}", "customColors", many), OW_EPARSE, &s, &why);
    char longest[XRAY_CLASS_BYTES + 1];
    memset(longest, 'x', XRAY_CLASS_BYTES);
    longest[XRAY_CLASS_BYTES] = '\0';
    read_model(json_pack("{s:{s:s}}", "customColors", longest, "#ff8800"), OW_EPARSE, &s, &why);
    read_model(json_pack("{s:{s:s}}", "customColors", longest + 1, "#ff8800"), OW_OK, &s, &why);
}

static void the_type_of_colors_is_published(void **state)
{
    (void)state;
    json_t *rows = settings_describe(model->settings), *row;
    size_t i;
    const char *type = NULL;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), "customColors") == 0)
            type = json_string_value(json_object_get(row, "type"));
        /* Another name for a choice is taken, but not offered. */
        if (strcmp(json_string_value(json_object_get(row, "name")), "xrayMode") == 0)
            assert_int_equal(json_array_size(json_object_get(row, "choices")), 12);
    }
    assert_non_null(type);
    assert_string_equal(type, "colors");
    json_decref(rows);
}

static void numbers_can_be_choices(void **state)
{
    (void)state;
    const struct node_type *video = node_type_find("videoInput");
    json_t *data = json_pack("{s:s, s:i}", "videoPath", "x", "resolutionScale", 50);
    struct source_settings source;
    char url[NODE_PATH_BYTES];
    struct reason why;
    assert_int_equal(video->configure_source(data, &source, url, &why), OW_OK);
    assert_int_equal(source.resolution_scale, 50);
    json_object_set_new(data, "resolutionScale", json_string("25"));
    assert_int_equal(video->configure_source(data, &source, url, &why), OW_OK);
    assert_int_equal(source.resolution_scale, 25);
    json_object_set_new(data, "resolutionScale", json_integer(33));
    assert_int_equal(video->configure_source(data, &source, url, &why), OW_OK);
    assert_int_equal(source.resolution_scale, 100);
    json_decref(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_of_another_version_is_a_warning_and_the_default),
        cmocka_unit_test(whoever_sets_such_a_choice_is_told),
        cmocka_unit_test(modes_are_read),
        cmocka_unit_test(colors_are_read),
        cmocka_unit_test(the_type_of_colors_is_published),
        cmocka_unit_test(numbers_can_be_choices),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
