/* A JSON body of any content, read as an offer and as a WebSocket subscription. */
#include "fuzz.h"

#include "api/json_body.h"

#include <stdlib.h>
#include <string.h>

static void read_subscription(const json_t *json)
{
    struct subscription read;
    struct reason why;
    if (json_body_subscription(&read, json, &why) != OW_OK)
        return;
    if (read.node_count > SUBSCRIPTION_MAX_NODES || !(read.max_fps > 0))
        abort();
    for (int i = 0; i < read.node_count; i++)
        if ((read.topics & TOPIC_FRAMES) &&
            !subscription_wants(&read, TOPIC_FRAMES, read.workflow_id, read.nodes[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL;
    struct reason why;
    if (json_body_parse(&json, (const char *)data, size, true, &why) != OW_OK)
        return 0;
    const char *text = NULL;
    if (json_body_text(&text, json, "node_id", 127, false, &why) == OW_OK && text &&
        (strlen(text) > 127 || strchr(text, '\n')))
        abort();
    (void)json_body_text(&text, json, "sdp", 65536, true, &why);
    read_subscription(json);
    json_decref(json);
    return 0;
}
