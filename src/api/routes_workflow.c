/* /api/workflow-builder and /api/workflow-components: running workflows and their figures. */
#include "api/api_internal.h"
#include "core/log.h"
#include "core/perf.h"

#include <stdlib.h>
#include <string.h>

enum { BOTTLENECKS = 3 };

static json_t *describe_operation(const struct perf_summary *summary)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "count",
                     (json_int_t)summary->count, "avg_ms", summary->avg_ms, "min_ms",
                     summary->min_ms, "max_ms", summary->max_ms, "p50_ms", summary->p50_ms,
                     "p95_ms", summary->p95_ms, "p99_ms", summary->p99_ms, "std_ms",
                     summary->std_ms);
}

/* The slowest on average first. glass_to_encoder is a sum of others, no operation of its own. */
static json_t *describe_bottlenecks(const struct perf_summary *summaries)
{
    bool taken[PERF_OPERATION_COUNT] = {[PERF_GLASS_TO_ENCODER] = true};
    json_t *list = json_array();
    for (int rank = 0; rank < BOTTLENECKS; rank++) {
        int slowest = -1;
        for (int i = 0; i < PERF_OPERATION_COUNT; i++)
            if (!taken[i] && summaries[i].count > 0 &&
                (slowest < 0 || summaries[i].avg_ms > summaries[slowest].avg_ms))
                slowest = i;
        if (slowest < 0)
            break;
        taken[slowest] = true;
        json_array_append_new(list, json_pack("{s:s, s:f}", "operation",
                                              perf_operation_name((enum perf_operation)slowest),
                                              "avg_ms", summaries[slowest].avg_ms));
    }
    return list;
}

/* The same members for each transport, so that they can be compared. */
static json_t *describe_transport(int viewers, const struct send_figures *sent, uint64_t dropped,
                                  const struct perf_summary *encoding)
{
    return json_pack("{s:i, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:o*}", "viewers", viewers, "fps",
                     sent->fps, "kB_per_s", sent->kilobytes_per_s, "frames",
                     (json_int_t)sent->frames, "bytes", (json_int_t)sent->bytes, "frames_dropped",
                     (json_int_t)dropped, "latency_ms", sent->latency_ms, "latency_max_ms",
                     sent->latency_max_ms, "encoding", describe_operation(encoding));
}

static json_t *describe_webrtc(struct api *api, const struct perf_summary *summaries)
{
    int count;
    struct media_viewer_info *viewers = api_viewers(api, &count);
    if (!viewers)
        return NULL;
    uint64_t dropped = 0, packets = 0, repeated = 0;
    for (int i = 0; i < count; i++) {
        dropped += viewers[i].stats.frames_dropped;
        packets += viewers[i].stats.packets_sent;
        repeated += viewers[i].stats.retransmits;
    }
    free(viewers);
    struct send_figures sent;
    media_server_figures(api->media, &sent);
    json_t *out = describe_transport(count, &sent, dropped, &summaries[PERF_H264]);
    if (!out)
        return NULL;
    json_object_set_new(out, "packets", json_integer((json_int_t)packets));
    json_object_set_new(out, "retransmits", json_integer((json_int_t)repeated));
    json_object_set_new(out, "sending", describe_operation(&summaries[PERF_SEND]));
    return out;
}

static json_t *describe_transports(struct api *api, const struct perf_summary *summaries)
{
    struct ws_hub_stats hub;
    ws_hub_read_stats(api->hub, &hub);
    return json_pack(
        "{s:o*, s:o*}", "webrtc", describe_webrtc(api, summaries), "websocket",
        describe_transport(hub.viewers, &hub.figures, hub.replaced, &summaries[PERF_JPEG]));
}

static double current_fps(struct api *api)
{
    struct view *views[API_MAX_VIEWS];
    int count = runtime_views(api->runtime, views, API_MAX_VIEWS);
    double fps = 0;
    for (int i = 0; i < count; i++) {
        struct view_info info = {0};
        view_read_info(views[i], &info);
        fps = info.fps > fps ? info.fps : fps;
        view_unref(&views[i]);
    }
    return fps;
}

void api_workflow_performance(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct perf_summary summaries[PERF_OPERATION_COUNT];
    json_t *operations = json_object();
    for (int i = 0; i < PERF_OPERATION_COUNT; i++) {
        perf_read((enum perf_operation)i, &summaries[i]);
        json_object_set_new(operations, perf_operation_name((enum perf_operation)i),
                            describe_operation(&summaries[i]));
    }
    api_reply_json(exchange, 200,
                   json_pack("{s:f, s:o, s:o, s:o}", "current_fps", current_fps(api), "operations",
                             operations, "bottlenecks", describe_bottlenecks(summaries),
                             "transports", describe_transports(api, summaries)));
}

void api_workflow_performance_reset(void *context, struct http_exchange *exchange)
{
    (void)context;
    perf_reset();
    api_reply_json(exchange, 200, json_pack("{s:s}", "status", "reset"));
}

void api_workflow_status_all(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    api_reply_json(exchange, 200, runtime_status(api->runtime));
}

void api_workflow_status(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *id = http_param(http_exchange_request(exchange), "id");
    json_t *status = runtime_workflow_status(api->runtime, id), *document = NULL;
    if (!status && saved_read(&api->saved, id, &document, NULL) == OW_OK) {
        status = json_pack("{s:s, s:O, s:b, s:{}}", "workflow_id", id, "name",
                           json_object_get(document, "name"), "running", 0, "nodes");
        json_decref(document);
    }
    if (status)
        api_reply_json(exchange, 200, status);
    else
        http_reply_error(exchange, 404, "There is no workflow with this id.");
}

void api_workflow_execute(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return;
    json_t *inner = json_object_get(body, "workflow");
    json_t *workflow = json_is_object(inner) ? inner : body;
    json_t *report = NULL;
    struct reason why = {""};
    int rc = runtime_execute(api->runtime, workflow, RUNTIME_REMOTE, &report, &why);
    const char *id = json_string_value(json_object_get(workflow, "id"));
    if (rc == OW_OK)
        ws_hub_send_status(api->hub);
    if (rc == OW_OK)
        api_reply_json(exchange, 200,
                       json_pack("{s:s, s:s, s:O*}", "status", "running", "workflow_id",
                                 id ? id : "", "warnings", json_object_get(report, "warnings")));
    else if (json_array_size(json_object_get(report, "errors")) > 0)
        api_reply_invalid(exchange, report, why.text);
    else
        api_reply_failure(exchange, rc, &why);
    json_decref(report);
    json_decref(body);
}

void api_workflow_stop(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *id = http_param(http_exchange_request(exchange), "id");
    int rc = saved_stop(&api->saved, id);
    if (rc == OW_OK)
        ws_hub_send_status(api->hub);
    if (rc == OW_OK)
        api_reply_json(exchange, 200,
                       json_pack("{s:s, s:s}", "status", "stopped", "workflow_id", id));
    else
        http_reply_error(exchange, 404, "No workflow with this id is running.");
}

void api_workflow_stop_all(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    saved_stop_all(&api->saved);
    ws_hub_send_status(api->hub);
    api_reply_json(exchange, 200, json_pack("{s:s}", "status", "stopped"));
}
