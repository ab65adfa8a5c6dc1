/* /api/config: what a page has to know of this server before it asks for anything else. */
#include "api/api_internal.h"

void api_config(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *version = api->settings.version;
    bool takes_uploads = api->uploads.folder[0] != '\0';
    json_int_t max_bytes = takes_uploads ? (json_int_t)api->uploads.max_bytes : 0;
    api_reply_json(exchange, 200,
                   json_pack("{s:s, s:{s:b}, s:{s:b, s:I}, s:{s:i}, s:o}", "version",
                             version ? version : "", "auth", "required", api->settings.auth != NULL,
                             "uploads", "enabled", takes_uploads, "max_bytes", max_bytes, "limits",
                             "body_bytes", HTTP_MAX_BODY_BYTES, "webrtc",
                             api_describe_webrtc(api)));
}
