/* WHEP: pictures for any player that speaks it (draft-ietf-wish-whep; RFC 9725 for what it shares
 * with WHIP). Only what a player offers is answered; the server makes no offers of its own.
 *
 *   POST   /whep/{node_id}               an offer: 201 with the answer and the session's place
 *   PATCH  /whep/{node_id}/{session_id}  candidates (204), a restart of ICE (200 with a fragment)
 *   DELETE /whep/{node_id}/{session_id}  the end
 */
#include "api/api_internal.h"
#include "api/entity_tag.h"
#include "api/ice_servers.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCATION_BYTES = 3 * 128 + 64, RETRY_AFTER_S = 5 };

static const char exposed[] = "Access-Control-Expose-Headers: Location, ETag, Link, Accept-Patch, "
                              "Accept-Post, Retry-After\r\n"
                              "Cache-Control: no-store\r\n";
static const char fragment_type[] = "application/trickle-ice-sdpfrag";

static void refuse(struct http_exchange *exchange, int status, const char *headers,
                   const char *detail)
{
    char all[512];
    json_t *json = json_pack("{s:s}", "detail", detail);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    snprintf(all, sizeof all, "%s%s", exposed, headers);
    if (text)
        http_reply(exchange, status, "application/json", text, strlen(text), all);
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text);
    json_decref(json);
}

static void refuse_code(struct http_exchange *exchange, int code, const struct reason *why)
{
    const char *detail = why->text[0] ? why->text : error_text(code);
    char retry[32];
    snprintf(retry, sizeof retry, "Retry-After: %d\r\n", RETRY_AFTER_S);
    if (code == OW_ELIMIT)
        refuse(exchange, 503, retry, detail);
    else if (code == OW_EUNSUPPORTED)
        refuse(exchange, 406, "", detail);
    else
        api_reply_failure(exchange, code, why);
}

/* -- POST: a viewer comes -- */

/* A path of this server that names the session; what a path cannot hold is percent-encoded. */
static void write_location(char out[LOCATION_BYTES], const char *node_id, const char *session_id)
{
    size_t at = (size_t)snprintf(out, LOCATION_BYTES, "/whep/");
    for (const unsigned char *c = (const unsigned char *)node_id; *c && at + 4 < LOCATION_BYTES;
         c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= 'a' && *c <= 'z') || strchr("-._~", *c);
        at += (size_t)snprintf(out + at, LOCATION_BYTES - at, plain ? "%c" : "%%%02X", *c);
    }
    snprintf(out + at, LOCATION_BYTES - at, "/%s", session_id);
}

static int check_offer(const struct http_request *request, int *status, struct reason *why)
{
    if (request->body_size == 0) {
        *status = 400;
        return reason_set(why, OW_EINVAL,
                          "This server makes no offers: send the player's own offer as "
                          "application/sdp.");
    }
    if (!api_is_type(request->content_type, "application/sdp")) {
        *status = 415;
        return reason_set(why, OW_EINVAL, "An offer must be of the type application/sdp.");
    }
    if (request->body_size > SDP_MAX_BYTES) {
        *status = 413;
        return reason_set(why, OW_EINVAL, "The offer is larger than %d kB.", SDP_MAX_BYTES / 1024);
    }
    return OW_OK;
}

static void reply_created(struct api *api, struct http_exchange *exchange, const char *node_id,
                          const struct media_answer *answer)
{
    char location[LOCATION_BYTES], tag[WHEP_TAG_BYTES], links[ICE_SERVERS_LINKS_BYTES];
    char headers[LOCATION_BYTES + ICE_SERVERS_LINKS_BYTES + 512];
    if (whep_tag_of(answer->sdp, tag) != OW_OK ||
        whep_sessions_put(&api->whep, api->media, answer->session_id, tag) != OW_OK) {
        media_server_close_session(api->media, answer->session_id);
        refuse(exchange, 503, "", "Out of memory.");
        return;
    }
    write_location(location, node_id, answer->session_id);
    ice_servers_links(&api->settings.ice_servers, clock_wall_us() / 1000000, links);
    snprintf(headers, sizeof headers, "%sLocation: %s\r\nETag: %s\r\nAccept-Patch: %s\r\n%s",
             exposed, location, tag, fragment_type, links);
    http_reply(exchange, 201, "application/sdp", answer->sdp, strlen(answer->sdp), headers);
}

void api_whep_offer(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    const char *node_id = http_param(request, "node_id");
    struct reason why = {""};
    struct media_answer answer = {0};
    int status = 0;
    if (check_offer(request, &status, &why) != OW_OK) {
        refuse(exchange, status, "Accept-Post: application/sdp\r\n", why.text);
        return;
    }
    int rc =
        api_take_offer(api, request, node_id, request->body, request->body_size, &answer, &why);
    if (rc == OW_OK)
        reply_created(api, exchange, node_id, &answer);
    else
        refuse_code(exchange, rc, &why);
    free(answer.sdp);
}

void api_whep_options(void *context, struct http_exchange *exchange)
{
    (void)context;
    char headers[512];
    snprintf(headers, sizeof headers, "%sAllow: POST, OPTIONS\r\nAccept-Post: application/sdp\r\n",
             exposed);
    http_reply(exchange, 204, "text/plain", NULL, 0, headers);
}

/* -- PATCH and DELETE: a session -- */

/* The tag of the session that the path names; NULL after 404 was answered. */
static const char *find_session(struct api *api, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    const char *id = http_param(request, "session_id");
    const char *tag = whep_sessions_tag(&api->whep, id);
    struct media_session_status status;
    if (tag && media_server_session_status(api->media, id, &status) == OW_OK && !status.closed &&
        strcmp(status.stream_id, http_param(request, "node_id")) == 0)
        return tag;
    refuse(exchange, 404, "", "There is no such session (any more): send a new offer.");
    return NULL;
}

/* May this request change the session? Else it has been answered (RFC 9725, 4.3.1). */
static bool precondition_holds(struct http_exchange *exchange, const char *tag)
{
    const char *if_match = http_exchange_request(exchange)->if_match;
    char header[WHEP_TAG_BYTES + 16];
    snprintf(header, sizeof header, "ETag: %s\r\n", tag);
    if (!if_match[0])
        refuse(exchange, 428, header,
               "If-Match is missing: the session's ETag, or * to restart ICE.");
    else if (strcmp(if_match, "*") != 0 && !entity_tag_listed(if_match, tag))
        refuse(exchange, 412, header, "If-Match names an ICE session that is not the present one.");
    else
        return true;
    return false;
}

static void reply_restarted(struct api *api, struct http_exchange *exchange, const char *id,
                            const char *fragment)
{
    char tag[WHEP_TAG_BYTES], headers[512];
    if (whep_tag_of(fragment, tag) != OW_OK ||
        whep_sessions_put(&api->whep, api->media, id, tag) != OW_OK) {
        refuse(exchange, 500, "", "ICE could not be restarted: send a new offer.");
        return;
    }
    snprintf(headers, sizeof headers, "%sETag: %s\r\n", exposed, tag);
    http_reply(exchange, 200, fragment_type, fragment, strlen(fragment), headers);
}

void api_whep_trickle(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    const char *id = http_param(request, "session_id");
    struct reason why = {""};
    char *answer = NULL;
    const char *tag = find_session(api, exchange);
    if (!tag)
        return;
    if (!api_is_type(request->content_type, fragment_type)) {
        refuse(exchange, 415, "Accept-Patch: application/trickle-ice-sdpfrag\r\n",
               "Candidates must be of the type application/trickle-ice-sdpfrag.");
        return;
    }
    if (!precondition_holds(exchange, tag))
        return;
    int rc = media_server_trickle(api->media, id, request->body, request->body_size, &answer, &why);
    if (rc != OW_OK)
        refuse_code(exchange, rc, &why);
    else if (answer)
        reply_restarted(api, exchange, id, answer);
    else
        http_reply(exchange, 204, "text/plain", NULL, 0, exposed);
    free(answer);
}

void api_whep_delete(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *id = http_param(http_exchange_request(exchange), "session_id");
    if (!find_session(api, exchange))
        return;
    media_server_close_session(api->media, id);
    whep_sessions_remove(&api->whep, id);
    http_reply(exchange, 200, "text/plain", NULL, 0, exposed);
}
