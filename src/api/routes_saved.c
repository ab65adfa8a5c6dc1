/* /api/workflow-builder: workflows that are kept. What they do is saved_workflows.c's. */
#include "api/api_internal.h"
#include "workflow/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *id_of(struct http_exchange *exchange)
{
    return http_param(http_exchange_request(exchange), "id");
}

static bool is_draft(struct http_exchange *exchange)
{
    const char *draft = http_query(http_exchange_request(exchange), "draft");
    return draft && (strcmp(draft, "true") == 0 || strcmp(draft, "1") == 0);
}

/* The workflow in the body, or in its `workflow`. NULL = answered already. */
static json_t *read_workflow(struct http_exchange *exchange, bool may_be_empty)
{
    json_t *body = api_read_body(exchange, may_be_empty);
    json_t *inner = json_object_get(body, "workflow");
    if (!json_is_object(inner))
        return body;
    json_incref(inner);
    json_decref(body);
    return inner;
}

void api_reply_invalid(struct http_exchange *exchange, const json_t *report, const char *why)
{
    json_t *errors = json_object_get(report, "errors");
    json_t *warnings = json_object_get(report, "warnings");
    const char *first = json_string_value(json_object_get(json_array_get(errors, 0), "message"));
    api_reply_json(exchange, 400,
                   json_pack("{s:s, s:s, s:O*, s:O*}", "message", "The workflow is not valid.",
                             "detail", first ? first : why, "errors", errors, "warnings",
                             warnings));
}

/* With the version of what is kept, where something is. */
static void reply_tagged(struct http_exchange *exchange, int status, json_t *json, const char *tag)
{
    char headers[ENTITY_TAG_BYTES + 48] = "Cache-Control: no-store\r\n";
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (tag[0])
        snprintf(headers, sizeof headers, "Cache-Control: no-store\r\nETag: %s\r\n", tag);
    if (text)
        http_reply(exchange, status, "application/json", text, strlen(text), headers);
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text);
}

static void reply_failure(struct http_exchange *exchange, int rc, const struct saved_result *result)
{
    if (rc == OW_EPARSE && json_array_size(json_object_get(result->report, "errors")) > 0)
        api_reply_invalid(exchange, result->report, result->why.text);
    else if (rc == OW_EIO)
        http_reply_error(exchange, 507, result->why.text);
    else if (rc == OW_ECHANGED)
        reply_tagged(exchange, 412, json_pack("{s:s}", "detail", result->why.text), result->tag);
    else
        api_reply_failure(exchange, rc, &result->why);
}

static void reply_saved(struct http_exchange *exchange, int status,
                        const struct saved_result *result)
{
    json_t *out = json_pack("{s:O, s:O, s:O*, s:O*, s:b}", "id",
                            json_object_get(result->workflow, "id"), "workflow", result->workflow,
                            "warnings", json_object_get(result->report, "warnings"), "errors",
                            json_object_get(result->report, "errors"), "applied", result->applied);
    if (out && result->changes)
        json_object_set(out, "changes", result->changes);
    if (out && !result->applied && result->why.text[0])
        json_object_set_new(out, "not_applied", json_string(result->why.text));
    reply_tagged(exchange, status, out, result->tag);
}

static void reply_running(struct api *api, struct http_exchange *exchange, const char *id,
                          const struct saved_result *result)
{
    ws_hub_send_status(api->hub);
    api_reply_json(exchange, 200,
                   json_pack("{s:s, s:s, s:O*, s:O*}", "status", "running", "workflow_id", id,
                             "warnings", json_object_get(result->report, "warnings"), "changes",
                             result->changes));
}

void api_saved_list(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    api_reply_json(exchange, 200, saved_list(&api->saved));
}

void api_saved_read(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    json_t *document = NULL;
    char tag[ENTITY_TAG_BYTES];
    if (saved_read(&api->saved, id_of(exchange), &document, tag) == OW_OK)
        reply_tagged(exchange, 200, document, tag);
    else
        http_reply_error(exchange, 404, "There is no workflow with this id.");
}

void api_saved_add(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct saved_result result = {0};
    json_t *document = read_workflow(exchange, false);
    if (!document)
        return;
    int rc = saved_add(&api->saved, document, is_draft(exchange), false, &result);
    if (rc == OW_OK)
        reply_saved(exchange, 201, &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(document);
}

void api_saved_replace(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct saved_result result = {0};
    json_t *document = read_workflow(exchange, false);
    if (!document)
        return;
    int rc = saved_replace(&api->saved, id_of(exchange), document, is_draft(exchange),
                           http_exchange_request(exchange)->if_match, &result);
    if (rc == OW_OK && result.applied)
        ws_hub_send_status(api->hub);
    if (rc == OW_OK)
        reply_saved(exchange, 200, &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(document);
}

/* `replaced_etag`: who has seen that version has, with this change, seen the one that is kept now.
 */
static void reply_node(struct http_exchange *exchange, const char *node_id,
                       const struct saved_result *result)
{
    json_t *out = json_pack(
        "{s:s, s:O, s:O*, s:b, s:O*, s:s*}", "node_id", node_id, "data", result->node, "change",
        json_object_get(json_array_get(result->changes, 0), "change"), "applied", result->applied,
        "warnings", json_object_get(result->report, "warnings"), "replaced_etag",
        result->replaced[0] ? result->replaced : NULL);
    if (out && !result->applied && result->why.text[0])
        json_object_set_new(out, "not_applied", json_string(result->why.text));
    reply_tagged(exchange, 200, out, result->tag);
}

void api_saved_set_node(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *node_id = http_param(http_exchange_request(exchange), "node_id");
    struct saved_result result = {0};
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return;
    json_t *data = json_object_get(body, "data");
    if (!json_is_object(data)) {
        http_reply_error(exchange, 400, "\"data\" must be an object with the changed settings.");
        json_decref(body);
        return;
    }
    int rc = saved_set_node(&api->saved, id_of(exchange), node_id, data, &result);
    if (rc == OW_OK)
        reply_node(exchange, node_id, &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(body);
}

void api_saved_remove(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    int rc = saved_remove(&api->saved, id_of(exchange));
    if (rc == OW_OK)
        ws_hub_send_status(api->hub);
    if (rc == OW_OK)
        api_reply_json(exchange, 200, json_pack("{s:s}", "status", "deleted"));
    else if (rc == OW_ENOTFOUND)
        http_reply_error(exchange, 404, "There is no workflow with this id.");
    else if (rc == OW_EIO)
        http_reply_error(exchange, 507, "The workflow could not be deleted: look at the disk.");
    else
        api_reply_failure(exchange, rc, NULL);
}

void api_saved_execute(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct saved_result result = {0};
    int rc = saved_execute(&api->saved, id_of(exchange), &result);
    if (rc == OW_OK)
        reply_running(api, exchange, id_of(exchange), &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
}

void api_saved_deploy(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    if (http_exchange_request(exchange)->body_size == 0) {
        api_saved_execute(context, exchange);
        return;
    }
    struct saved_result result = {0};
    json_t *document = read_workflow(exchange, false);
    if (!document)
        return;
    int rc = saved_deploy(&api->saved, id_of(exchange), document, &result);
    if (rc == OW_OK)
        reply_running(api, exchange, id_of(exchange), &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(document);
}

static void reply_findings(struct http_exchange *exchange, const json_t *report,
                           const json_t *changes)
{
    json_t *errors = json_object_get(report, "errors");
    json_t *out = json_pack("{s:b, s:O, s:O}", "valid", json_array_size(errors) == 0, "errors",
                            errors, "warnings", json_object_get(report, "warnings"));
    if (out && changes)
        json_object_set(out, "changes", (json_t *)changes);
    api_reply_json(exchange, 200, out);
}

void api_saved_preview(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct saved_result result = {0};
    json_t *document = NULL;
    if (http_exchange_request(exchange)->body_size > 0) {
        document = read_workflow(exchange, false);
        if (!document)
            return;
    }
    int rc = saved_preview(&api->saved, id_of(exchange), document, &result);
    if (rc == OW_OK)
        reply_findings(exchange, result.report, result.changes);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(document);
}

void api_saved_validate(void *context, struct http_exchange *exchange)
{
    (void)context;
    struct graph *graph = NULL;
    json_t *report = NULL;
    json_t *document = read_workflow(exchange, false);
    if (!document)
        return;
    (void)graph_parse(&graph, document, &report);
    graph_destroy(&graph);
    reply_findings(exchange, report, NULL);
    json_decref(report);
    json_decref(document);
}

/* ---- files, in the shape of the system before ---- */

static void add_export_fields(json_t *document)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_object_set_new(document, "timestamp", json_string(text));
    if (!json_object_get(document, "site"))
        json_object_set_new(document, "site", json_string("overwatch"));
    static const char *const of_answers[] = {"running", "saved", "created_at", "updated_at"};
    for (size_t i = 0; i < sizeof of_answers / sizeof of_answers[0]; i++)
        json_object_del(document, of_answers[i]);
}

/* Letters, digits, - and _ of the workflow's name. */
static void file_name(const json_t *document, char out[64])
{
    const char *name = json_string_value(json_object_get(document, "name"));
    size_t size = 0;
    for (; name && *name && size < 48; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (plain || c == '-' || c == '_')
            out[size++] = (char)c;
        else if (size > 0 && out[size - 1] != '-')
            out[size++] = '-';
    }
    snprintf(out + size, 64 - size, "%s.json", size == 0 ? "workflow" : "");
}

void api_saved_export(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    json_t *document = NULL;
    char name[64], headers[160];
    if (saved_read(&api->saved, id_of(exchange), &document, NULL) < 0) {
        http_reply_error(exchange, 404, "There is no workflow with this id.");
        return;
    }
    add_export_fields(document);
    file_name(document, name);
    snprintf(headers, sizeof headers,
             "Content-Disposition: attachment; filename=\"%s\"\r\nCache-Control: no-store\r\n",
             name);
    char *text = json_dumps(document, JSON_INDENT(2));
    if (text)
        http_reply(exchange, 200, "application/json", text, strlen(text), headers);
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text);
    json_decref(document);
}

/* Files may come from anywhere: what has mistakes is kept as a draft and told. */
void api_saved_import(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct saved_result result = {0};
    json_t *document = read_workflow(exchange, false);
    if (!document)
        return;
    const char *name = http_query(http_exchange_request(exchange), "name");
    const char *given = json_string_value(json_object_get(document, "name"));
    if (name && name[0] && !(given && given[0]))
        json_object_set_new(document, "name", json_string(name));
    int rc = saved_add(&api->saved, document, true, true, &result);
    if (rc == OW_OK)
        reply_saved(exchange, 201, &result);
    else
        reply_failure(exchange, rc, &result);
    saved_result_clear(&result);
    json_decref(document);
}
