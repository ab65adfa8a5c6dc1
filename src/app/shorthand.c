#include "app/shorthand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *node(const char *id, const char *type, json_t *data)
{
    return json_pack("{s:s, s:s, s:{s:i, s:i}, s:o}", "id", id, "type", type, "position", "x", 0,
                     "y", 0, "data", data);
}

static json_t *edge(const char *id, const char *from, const char *to)
{
    return json_pack("{s:s, s:s, s:s}", "id", id, "source", from, "target", to);
}

/* What --raw says of headerless video, such as "yuv420p:640x480". */
struct raw_format {
    char name[32];
    int width, height;
};

static bool parse_raw(const char *text, struct raw_format *out)
{
    return sscanf(text, "%31[^:]:%5dx%5d", out->name, &out->width, &out->height) == 3;
}

static json_t *camera_data(const struct config *config)
{
    struct raw_format raw;
    json_t *data = json_pack("{s:s}", "url", config->source);
    if (config->raw && parse_raw(config->raw, &raw)) {
        json_object_set_new(data, "pixelFormat", json_string(raw.name));
        json_object_set_new(data, "width", json_integer(raw.width));
        json_object_set_new(data, "height", json_integer(raw.height));
    }
    return data;
}

/* Files loop as videoInput; everything with a scheme is a camera, "test:" the test pattern. */
static json_t *source_node(const struct config *config)
{
    const char *url = config->source;
    if (strcmp(url, "test:") == 0)
        return node("source", "testPattern", json_object());
    if (strchr(url, ':'))
        return node("source", "camera", camera_data(config));
    return node("source", "videoInput", json_pack("{s:s}", "videoPath", url));
}

static json_t *make(const struct config *config)
{
    bool with_model = !config->model || strcmp(config->model, "none") != 0;
    const char *last = with_model ? "model" : "source";
    json_t *nodes = json_array(), *edges = json_array();
    json_array_append_new(nodes, source_node(config));
    if (with_model) {
        json_t *data = json_pack("{s:s, s:f, s:i}", "modelId", config->model ? config->model : "",
                                 "confidence", strtod(config->confidence, NULL), "fps", 30);
        json_array_append_new(nodes, node("model", "model", data));
        json_array_append_new(edges, edge("e1", "source", "model"));
    }
    json_array_append_new(
        nodes,
        node("view", "videoPreviewWebRTC",
             json_pack("{s:s, s:s, s:i, s:i}", "bitratePreset", config->bitrate, "boxTiming",
                       config->box_timing, "width", config_number(config->width), "maxFps", 60)));
    json_array_append_new(edges, edge("e2", last, "view"));
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", "live", "name", "Live", "version", "1",
                     "nodes", nodes, "edges", edges);
}

int shorthand_workflow(json_t **out, const struct config *config, struct reason *why)
{
    json_error_t error;
    json_t *workflow = NULL;
    if (config->workflow_file) {
        workflow = json_load_file(config->workflow_file, JSON_REJECT_DUPLICATES, &error);
        if (!workflow && error.line < 0) /* the text names the file */
            return reason_set(why, OW_EIO, "workflow: %s", error.text);
        if (!workflow)
            return reason_set(why, OW_EPARSE, "workflow %.150s, line %d: %s", config->workflow_file,
                              error.line, error.text);
    } else if (config->source) {
        struct raw_format raw;
        if (config->raw && !parse_raw(config->raw, &raw))
            return reason_set(why, OW_EINVAL,
                              "--raw is \"%.60s\", but must look like yuv420p:640x480",
                              config->raw);
        workflow = make(config);
        if (!workflow)
            return reason_set(why, OW_EINVAL, "--source is not valid text");
    }
    *out = workflow;
    return OW_OK;
}
