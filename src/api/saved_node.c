#include "api/saved_internal.h"

#include "api/url_secrets.h"
#include "workflow/graph.h"

#include <string.h>

/* The first error that validation found with this node. */
static const char *error_of(const json_t *report, const char *node_id)
{
    size_t i;
    json_t *error;
    json_array_foreach(json_object_get(report, "errors"), i, error)
    {
        const char *id = json_string_value(json_object_get(error, "node_id"));
        bool of_setting = json_is_string(json_object_get(error, "setting"));
        const char *setting = json_string_value(json_object_get(error, "setting"));
        if (id && strcmp(id, node_id) == 0 && of_setting && strcmp(setting, "edges") != 0)
            return json_string_value(json_object_get(error, "message"));
    }
    return NULL;
}

/* The kept document with the node's settings merged in: checked, without passwords, written. */
static int set_kept_node(struct saved_workflows *saved, const char *id, const char *node_id,
                         json_t *data, struct saved_result *result)
{
    json_t *kept = NULL;
    struct store_workflow row = {0};
    struct graph *graph = NULL;
    int rc = store_workflow_get(saved->store, id, &kept, &row);
    store_workflow_clear(&row);
    if (rc < 0)
        return rc;
    entity_tag_of(kept, result->replaced);
    json_t *node = graph_find_node(kept, node_id);
    rc = node ? graph_check_change(node, data, &result->why) : OW_ENOTFOUND;
    if (rc == OW_OK && json_object_update(graph_settings(node), data) < 0)
        rc = OW_ENOMEM;
    if (rc == OW_OK) {
        (void)graph_parse(&graph, kept, &result->report);
        graph_destroy(&graph);
        const char *error = error_of(result->report, node_id);
        if (error)
            rc = reason_set(&result->why, OW_EINVAL, "%s", error);
    }
    if (rc == OW_OK)
        rc = saved_keep(saved, id, kept, result, store_workflow_set);
    json_decref(kept);
    return rc;
}

static json_t *revealed_settings(struct saved_workflows *saved, const char *id, const char *node_id,
                                 const json_t *data)
{
    json_t *secrets = saved_read_secrets(saved, id), *copy = json_deep_copy(data);
    url_secrets_reveal_node(node_id, copy, secrets);
    json_decref(secrets);
    return copy;
}

static int set_running_node(struct saved_workflows *saved, const char *id, const char *node_id,
                            const json_t *data, struct saved_result *result)
{
    json_t *settings = revealed_settings(saved, id, node_id, data), *document = NULL,
           *change = NULL;
    int rc =
        runtime_set_node(saved->runtime, id, node_id, settings, &document, &change, &result->why);
    if (rc == OW_OK) {
        result->applied = true;
        result->changes = json_pack("[o]", change);
        json_t *secrets = json_object();
        url_secrets_hide(document, secrets);
        json_t *node = graph_find_node(document, node_id);
        result->node = node ? json_incref(graph_settings(node)) : json_object();
        json_decref(secrets);
    }
    json_decref(document);
    json_decref(settings);
    return rc;
}

/* Whether the running one can be so. */
static int check_running_node(struct saved_workflows *saved, const char *id, const char *node_id,
                              const json_t *data, struct saved_result *result)
{
    json_t *settings = revealed_settings(saved, id, node_id, data);
    int rc = runtime_check_node(saved->runtime, id, node_id, settings, &result->why);
    json_decref(settings);
    return rc;
}

/* Kept first: what cannot be kept must not run either. */
static int set_node(struct saved_workflows *saved, const char *id, const char *node_id,
                    json_t *data, struct saved_result *result)
{
    bool running = runtime_is_running(saved->runtime, id);
    int rc = running ? check_running_node(saved, id, node_id, data, result) : OW_OK;
    if (rc < 0)
        return rc;
    rc = set_kept_node(saved, id, node_id, data, result);
    bool unkept = rc == OW_ENOTFOUND && running; /* it runs without being kept */
    if (rc == OW_ENOTFOUND && !running)
        return reason_set(&result->why, rc, "There is no such workflow, or no such node in it.");
    if (rc < 0 && !unkept)
        return rc == OW_EINVAL ? rc : saved_store_failed(result, rc);
    rc = running ? set_running_node(saved, id, node_id, data, result) : OW_OK;
    if (!unkept && !result->node)
        result->node = json_incref(graph_settings(graph_find_node(result->workflow, node_id)));
    return unkept ? rc : OW_OK; /* what is kept and could not be applied is told as such */
}

int saved_set_node(struct saved_workflows *saved, const char *id, const char *node_id, json_t *data,
                   struct saved_result *result)
{
    pthread_mutex_lock(&saved->change);
    int rc = set_node(saved, id, node_id, data, result);
    pthread_mutex_unlock(&saved->change);
    return rc;
}
