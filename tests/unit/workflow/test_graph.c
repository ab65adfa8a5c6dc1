#include "core/clock.h"
#include "workflow/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *load(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("test JSON: %s at %d", error.text, error.position);
    return json;
}

#define SOURCE "{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{}}"
#define MODEL "{\"id\":\"m\",\"type\":\"model\",\"data\":{\"confidence\":0.5}}"
#define VIEW "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{}}"
#define EDGE(from, to) "{\"id\":\"" from to "\",\"source\":\"" from "\",\"target\":\"" to "\"}"
#define WORKFLOW(nodes, edges) "{\"id\":\"w\",\"nodes\":[" nodes "],\"edges\":[" edges "]}"

static void a_sound_workflow_is_read(void **state)
{
    (void)state;
    json_t *json = load(WORKFLOW(SOURCE "," MODEL "," VIEW, EDGE("s", "m") "," EDGE("m", "v")));
    json_t *report = NULL;
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), OW_OK);
    assert_string_equal(graph->id, "w");
    assert_string_equal(graph->name, "w");
    assert_int_equal(graph->node_count, 3);
    assert_int_equal(graph->nodes[0].input, -1);
    assert_int_equal(graph->nodes[1].input, 0);
    assert_int_equal(graph->nodes[2].input, 1);
    assert_int_equal(json_array_size(json_object_get(report, "errors")), 0);
    assert_int_equal(json_array_size(json_object_get(report, "warnings")), 0);
    json_decref(report);
    json_decref(json);
    graph_destroy(&graph);
    assert_null(graph);
}

/* Each bad workflow, the node and setting its first error must name, and words it must say. */
static const struct bad {
    const char *workflow, *node_id, *setting, *words;
} bad_workflows[] = {
    {"[]", NULL, NULL, "JSON object"},
    {"{}", NULL, "nodes", "list"},
    {"{\"nodes\":[],\"edges\":7}", NULL, "edges", "list"},
    {WORKFLOW("{\"id\":\"x\",\"type\":\"toaster\"}", ""), "x", "type", "toaster"},
    {WORKFLOW("{\"type\":\"model\"}", ""), NULL, "id", "node 1"},
    {WORKFLOW("{\"id\":\"a\\u0000b\",\"type\":\"model\"}", ""), NULL, "id", "node 1"},
    {WORKFLOW(SOURCE "," SOURCE, ""), "s", "id", "twice"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":1000}}", ""), "s", "fps",
     "from 0.1 to 240"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":\"1000\"}}", ""), "s",
     "fps", "from 0.1 to 240"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":\"5 or so\"}}", ""), "s",
     "fps", "number"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":\"\"}}", ""), "s", "fps",
     "number"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":\"nan\"}}", ""), "s", "fps",
     "number"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"fps\":\"5\\u0000\"}}", ""), "s",
     "fps", "number"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"width\":99.5}}", ""), "s",
     "width", "whole number"},
    {WORKFLOW("{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditions\":4}}", ""),
     "v", "renditions", "from 1 to 3"},
    {WORKFLOW("{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"100,40,"
              "50\"}}",
              ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW("{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"100,40,"
              "20,10\"}}",
              ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW("{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"0\"}}",
              ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW(
         "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"100,\"}}",
         ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW(
         "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"100;40\"}}",
         ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW(
         "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionRates\":\"nan\"}}",
         ""),
     "v", "renditionRates", "falling"},
    {WORKFLOW(
         "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionWidths\":\"101\"}}",
         ""),
     "v", "renditionWidths", "falling"},
    {WORKFLOW("{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{\"renditionWidths\":50}}",
              ""),
     "v", "renditionWidths", "text"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"clock\":1}}", ""), "s", "clock",
     "true or false"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"videoInput\",\"data\":{}}", ""), "s", "videoPath",
     "missing"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"videoInput\",\"data\":{\"videoPath\":\"a\\u0000b\"}}", ""),
     "s", "videoPath", "NUL"},
    {WORKFLOW("{\"id\":\"s\",\"type\":\"camera\",\"data\":{}}", ""), "s", "url", "address"},
    {WORKFLOW("{\"id\":\"m\",\"type\":\"model\",\"data\":{\"classes\":[{}]}}", ""), "m", "classes",
     "ids or names"},
    {WORKFLOW(SOURCE "," VIEW, EDGE("s", "nobody")), NULL, "edges", "nobody"},
    {WORKFLOW(VIEW, ""), "v", "edges", "shows nothing"},
    {WORKFLOW(MODEL, ""), "m", "edges", "no picture"},
    {WORKFLOW(MODEL, EDGE("m", "m")), "m", "edges", "feeds itself"},
    {WORKFLOW(SOURCE "," VIEW, EDGE("s", "v") "," EDGE("v", "s")), "s", NULL, "takes no input"},
    {WORKFLOW(SOURCE "," VIEW ",{\"id\":\"s2\",\"type\":\"testPattern\"}",
              EDGE("s", "v") "," EDGE("s2", "v")),
     "v", "edges", "two inputs"},
};

static void expect_error(const struct bad *bad)
{
    json_t *json = load(bad->workflow), *report = NULL;
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), OW_EPARSE);
    assert_null(graph);
    json_t *first = json_array_get(json_object_get(report, "errors"), 0);
    const char *node_id = json_string_value(json_object_get(first, "node_id"));
    const char *setting = json_string_value(json_object_get(first, "setting"));
    const char *message = json_string_value(json_object_get(first, "message"));
    if (!message || !strstr(message, bad->words))
        fail_msg("%s\nsays: %s\nwithout: %s", bad->workflow, message, bad->words);
    if (bad->node_id)
        assert_string_equal(node_id, bad->node_id);
    else
        assert_null(node_id);
    if (bad->setting)
        assert_string_equal(setting, bad->setting);
    json_decref(report);
    json_decref(json);
}

static void every_fault_names_node_and_setting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_workflows / sizeof bad_workflows[0]; i++)
        expect_error(&bad_workflows[i]);
}

static bool says(const json_t *list, const char *words)
{
    size_t i;
    json_t *entry;
    json_array_foreach(
        list, i,
        entry) if (strstr(json_string_value(json_object_get(entry, "message")), words)) return true;
    return false;
}

static void circles_are_found(void **state)
{
    (void)state;
    json_t *json = load(
        WORKFLOW(MODEL ",{\"id\":\"n\",\"type\":\"model\"}", EDGE("m", "n") "," EDGE("n", "m")));
    json_t *report = NULL;
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), OW_EPARSE);
    assert_true(says(json_object_get(report, "errors"), "circle"));
    json_decref(report);
    json_decref(json);
}

static void unknown_settings_are_kept_with_a_warning(void **state)
{
    (void)state;
    json_t *json =
        load(WORKFLOW("{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"hue\":1}}", ""));
    json_t *report = NULL;
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), OW_OK);
    assert_true(says(json_object_get(report, "warnings"), "hue"));
    assert_true(says(json_object_get(report, "warnings"), "no view"));
    assert_non_null(json_object_get(graph->nodes[0].data, "hue"));
    json_decref(report);
    json_decref(json);
    graph_destroy(&graph);
}

static void too_many_nodes_are_refused(void **state)
{
    (void)state;
    json_t *nodes = json_array(), *report = NULL;
    for (int i = 0; i <= GRAPH_MAX_NODES; i++)
        json_array_append_new(nodes, json_pack("{s:s++, s:s}", "id", "n", "", "", "type", "x"));
    json_t *json = json_pack("{s:o}", "nodes", nodes);
    struct graph *graph = NULL;
    assert_int_equal(graph_parse(&graph, json, &report), OW_EPARSE);
    assert_true(says(json_object_get(report, "errors"), "at most"));
    json_decref(report);
    json_decref(json);
}

/* As large as a workflow may be and as tangled: a chain of all nodes, its edges behind useless
 * ones. Checking it must not take a time that grows with nodes x nodes x edges. */
static void a_full_workflow_is_checked_at_once(void **state)
{
    (void)state;
    json_t *nodes = json_array(), *edges = json_array();
    for (int i = 0; i < GRAPH_MAX_EDGES - GRAPH_MAX_NODES + 1; i++)
        json_array_append_new(edges, json_pack("{s:s, s:s}", "source", "x", "target", "y"));
    for (int i = 0; i < GRAPH_MAX_NODES; i++) {
        json_array_append_new(
            nodes, json_pack("{s:o, s:s}", "id", json_sprintf("node %d", i), "type", "model"));
        if (i > 0)
            json_array_append_new(edges,
                                  json_pack("{s:o, s:o}", "source", json_sprintf("node %d", i - 1),
                                            "target", json_sprintf("node %d", i)));
    }
    json_t *json = json_pack("{s:o, s:o}", "nodes", nodes, "edges", edges);
    json_t *report = NULL;
    struct graph *graph = NULL;
    int64_t start_us = clock_now_us();
    assert_int_equal(graph_parse(&graph, json, &report), OW_EPARSE);
    int64_t took_us = clock_now_us() - start_us;
    if (took_us > 500000)
        fail_msg("it took %lld ms", (long long)took_us / 1000);
    assert_true(says(json_object_get(report, "errors"), "hangs in the air"));
    json_decref(report);
    json_decref(json);
}

static void node_types_describe_their_settings(void **state)
{
    (void)state;
    json_t *all = node_types_describe();
    assert_int_equal(json_array_size(all), 12);
    for (int i = 0; node_type_at(i); i++) {
        json_t *row = json_array_get(all, (size_t)i);
        assert_ptr_equal(node_type_find(json_string_value(json_object_get(row, "type"))),
                         node_type_at(i));
        size_t j;
        json_t *setting;
        json_array_foreach(json_object_get(row, "settings"), j, setting)
        {
            /* Every default must pass its own check, unless the setting has to be given. */
            const struct setting *s = &node_type_at(i)->settings[j];
            assert_true(strlen(s->help) > 0 && strlen(s->label) > 0);
            struct reason why = {""};
            if (!s->required && setting_check(s, json_object_get(setting, "default"), &why) < 0)
                fail_msg("%s.%s: default fails: %s", node_type_at(i)->name, s->name, why.text);
        }
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_workflow_is_read),
        cmocka_unit_test(every_fault_names_node_and_setting),
        cmocka_unit_test(circles_are_found),
        cmocka_unit_test(unknown_settings_are_kept_with_a_warning),
        cmocka_unit_test(too_many_nodes_are_refused),
        cmocka_unit_test(a_full_workflow_is_checked_at_once),
        cmocka_unit_test(node_types_describe_their_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
