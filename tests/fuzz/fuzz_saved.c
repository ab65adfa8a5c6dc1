/* A workflow of any content, and behind a line break settings of any content for its first node:
 * kept as the API keeps it, read, changed, previewed and forgotten, in a real store. Nothing is
 * started. */
#include "fuzz.h"

#include "api/json_body.h"
#include "api/saved_workflows.h"
#include "api/url_secrets.h"

#include <stdlib.h>
#include <string.h>

static struct saved_workflows saved;

static void open_once(void)
{
    static struct store *store;
    static struct runtime *runtime;
    const struct runtime_settings settings = {.media_folder = "/nonexistent",
                                              .model_folder = "/nonexistent"};
    struct reason why;
    if (store)
        return;
    if (store_open(&store, ":memory:", &why) != OW_OK ||
        runtime_create(&runtime, &settings, NULL) != OW_OK)
        abort();
    saved_workflows_init(&saved, store, runtime);
}

/* No answer and nothing that is kept has a password in it. */
static void check_hidden(const json_t *document)
{
    json_t *copy = json_deep_copy(document), *secrets = json_object();
    url_secrets_hide(copy, secrets);
    if (json_object_size(secrets) > 0)
        abort();
    json_decref(secrets);
    json_decref(copy);
}

static void check_report(const json_t *report)
{
    if (!json_is_array(json_object_get(report, "errors")) ||
        !json_is_array(json_object_get(report, "warnings")))
        abort();
}

static void read_back(const char *id, const json_t *written)
{
    json_t *read = NULL;
    if (saved_read(&saved, id, &read, NULL) != OW_OK)
        abort();
    check_hidden(read);
    if (!json_equal(json_object_get(read, "nodes"), json_object_get(written, "nodes")))
        abort();
    json_decref(read);
}

static void preview(const char *id, const json_t *document)
{
    struct saved_result result = {0};
    json_t *copy = json_deep_copy(document);
    if (saved_preview(&saved, id, copy, &result) != OW_OK || !json_is_array(result.changes))
        abort();
    check_report(result.report);
    saved_result_clear(&result);
    json_decref(copy);
}

static void set_node(const char *id, const json_t *document, json_t *settings)
{
    struct saved_result result = {0};
    const json_t *node = json_array_get(json_object_get(document, "nodes"), 0);
    const char *node_id = json_string_value(json_object_get(node, "id"));
    if (!node_id)
        return;
    int rc = saved_set_node(&saved, id, node_id, settings, &result);
    if ((rc == OW_OK) != (result.node != NULL) || (rc < 0 && !result.why.text[0]))
        abort();
    if (rc == OW_OK) {
        check_hidden(result.workflow);
        read_back(id, result.workflow);
    }
    saved_result_clear(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document = NULL, *settings = NULL;
    struct saved_result result = {0};
    struct reason why;
    const uint8_t *line = memchr(data, '\n', size);
    size_t first = line ? (size_t)(line - data) : size;
    open_once();
    if (json_body_parse(&document, (const char *)data, first, false, &why) != OW_OK)
        return 0;
    if (!line ||
        json_body_parse(&settings, (const char *)line + 1, size - first - 1, true, &why) != OW_OK)
        settings = json_object();
    int rc = saved_add(&saved, document, size % 2 == 0, true, &result);
    if (rc == OW_OK) {
        const char *id = json_string_value(json_object_get(result.workflow, "id"));
        check_hidden(result.workflow);
        check_report(result.report);
        read_back(id, result.workflow);
        set_node(id, result.workflow, settings);
        preview(id, NULL);
        preview(id, result.workflow);
        if (saved_remove(&saved, id) != OW_OK)
            abort();
    } else if (!result.why.text[0]) {
        abort(); /* a sentence in every case */
    }
    saved_result_clear(&result);
    json_decref(settings);
    json_decref(document);
    return 0;
}
