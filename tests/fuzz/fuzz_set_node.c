/* Settings of any content for a node that runs (PATCH): taken, or refused with a sentence and
 * nothing changed. The first byte chooses the node. */
#include "fuzz.h"

#include "core/log.h"
#include "workflow/runtime.h"

#include <stdlib.h>
#include <string.h>

static struct runtime *runtime;

static const char workflow[] =
    "{\"id\": \"w\", \"nodes\": ["
    "{\"id\": \"pattern\", \"type\": \"testPattern\", \"data\": {\"width\": 64, \"height\": 64, "
    "\"fps\": 1}},"
    "{\"id\": \"socket\", \"type\": \"videoPreview\", \"data\": {}},"
    "{\"id\": \"webrtc\", \"type\": \"videoPreviewWebRTC\", \"data\": {}},"
    "{\"id\": \"filter\", \"type\": \"detectionFilter\", \"data\": {}},"
    "{\"id\": \"zone\", \"type\": \"zone\", \"data\": {}},"
    "{\"id\": \"preview\", \"type\": \"dataPreview\", \"data\": {}},"
    "{\"id\": \"debug\", \"type\": \"debug\", \"data\": {}}],"
    "\"edges\": [{\"id\": \"1\", \"source\": \"pattern\", \"target\": \"socket\"},"
    "{\"id\": \"2\", \"source\": \"pattern\", \"target\": \"webrtc\"}]}";
static const char *const nodes[] = {"pattern", "socket",  "webrtc", "filter",
                                    "zone",    "preview", "debug"};

/* A fresh start for each input: what one leaves behind must not explain the next one's crash. */
static void start(void)
{
    const struct runtime_settings settings = {0};
    struct reason why;
    json_t *document = json_loads(workflow, 0, NULL), *report = NULL;
    if (!runtime) {
        (void)log_open(NULL, LOG_ERROR, false);
        if (runtime_create(&runtime, &settings, NULL) != OW_OK)
            abort();
    }
    if (runtime_execute(runtime, document, RUNTIME_REMOTE, &report, &why) != OW_OK)
        abort();
    json_decref(report);
    json_decref(document);
}

static const json_t *data_of(const json_t *document, const char *node_id)
{
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(document, "nodes"), i, node)
    {
        if (strcmp(json_string_value(json_object_get(node, "id")), node_id) == 0)
            return json_object_get(node, "data");
    }
    abort();
}

static void check(int rc, const char *node_id, const json_t *settings, const json_t *before,
                  const struct reason *why)
{
    const char *key;
    json_t *value, *after = runtime_document(runtime, "w");
    if (rc < 0 && (!why->text[0] || !json_equal(after, before)))
        abort();
    const json_t *data = data_of(after, node_id);
    if (rc == OW_OK && !json_is_object(json_object_get(data, "config")))
        json_object_foreach((json_t *)settings, key,
                            value) if (!json_equal(json_object_get(data, key), value)) abort();
    json_decref(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reason why = {""};
    json_t *document = NULL, *change = NULL;
    json_t *settings =
        size > 0 ? json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL)
                 : NULL;
    if (!json_is_object(settings)) {
        json_decref(settings);
        return 0;
    }
    start();
    const char *node_id = nodes[data[0] % (sizeof nodes / sizeof nodes[0])];
    json_t *before = runtime_document(runtime, "w");
    int rc = runtime_set_node(runtime, "w", node_id, settings, &document, &change, &why);
    check(rc, node_id, settings, before, &why);
    json_decref(runtime_workflow_status(runtime, "w"));
    runtime_stop_all(runtime);
    json_decref(change);
    json_decref(document);
    json_decref(before);
    json_decref(settings);
    return 0;
}
