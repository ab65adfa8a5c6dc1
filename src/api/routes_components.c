/* /api/workflow-components: what a workflow can be made of. */
#include "api/api_internal.h"
#include "workflow/library.h"
#include "workflow/node_types.h"

void api_node_types(void *context, struct http_exchange *exchange)
{
    (void)context;
    api_reply_json(exchange, 200, json_pack("{s:o}", "node_types", node_types_describe()));
}

void api_models(void *context, struct http_exchange *exchange)
{
    api_reply_json(exchange, 200,
                   json_pack("{s:o}", "models", runtime_models(((struct api *)context)->runtime)));
}

void api_classes(void *context, struct http_exchange *exchange)
{
    const struct api_settings *s = &((struct api *)context)->settings;
    const char *model = http_query(http_exchange_request(exchange), "model");
    struct reason why = {""};
    json_t *classes = NULL;
    int rc = library_model_classes(s->model_folder, s->upload_folder, s->default_model, model,
                                   &classes, &why);
    if (rc == OW_OK)
        api_reply_json(exchange, 200, classes);
    else
        api_reply_failure(exchange, rc, &why);
}

/* Videos that a file source can name. */
void api_videos(void *context, struct http_exchange *exchange)
{
    const struct api_settings *s = &((struct api *)context)->settings;
    api_reply_json(exchange, 200,
                   json_pack("{s:o}", "files", library_videos(s->media_folder, s->upload_folder)));
}
