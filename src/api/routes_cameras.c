/* /api/cameras: addresses that are kept under a name. Their passwords go in and never come out. */
#include "api/api_internal.h"
#include "core/percent.h"
#include "core/random.h"
#include "workflow/source_probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 100, URL_BYTES = 900, USER_BYTES = 100, PASSWORD_BYTES = 200 };

static const int64_t PROBE_US = 5000000;

static const char *id_of(struct http_exchange *exchange)
{
    return http_param(http_exchange_request(exchange), "id");
}

static json_t *describe(const struct store_camera *camera)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "id", camera->id, "name",
                     camera->name, "url", camera->url, "username", camera->username, "has_password",
                     camera->has_password, "enabled", camera->enabled, "created_at",
                     (json_int_t)camera->created_s, "updated_at", (json_int_t)camera->updated_s);
}

static void reply_failure(struct http_exchange *exchange, int rc, const struct reason *why)
{
    struct reason text = *why;
    if (rc == OW_ENOTFOUND)
        reason_set(&text, rc, "There is no camera with this id.");
    else if (rc == OW_EEXISTS)
        reason_set(&text, rc, "There is a camera of this name already.");
    else if (rc == OW_ELIMIT)
        reason_set(&text, rc, "There are too many cameras: delete some.");
    if (rc == OW_EIO)
        http_reply_error(exchange, 507, "The camera could not be saved: look at the disk.");
    else
        api_reply_failure(exchange, rc, &text);
}

static int add_row(void *context, const struct store_camera *camera)
{
    json_array_append_new(context, describe(camera));
    return OW_OK;
}

void api_cameras_list(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    json_t *list = json_array();
    (void)store_camera_list(api->settings.store, add_row, list);
    api_reply_json(
        exchange, 200,
        json_pack("{s:I, s:o}", "total", (json_int_t)json_array_size(list), "cameras", list));
}

static void reply_camera(struct api *api, struct http_exchange *exchange, int status,
                         const char *id)
{
    struct store_camera camera;
    struct reason why = {""};
    int rc = store_camera_get(api->settings.store, id, &camera);
    if (rc == OW_OK)
        api_reply_json(exchange, status, describe(&camera));
    else
        reply_failure(exchange, rc, &why);
    store_camera_clear(&camera);
}

void api_camera_read(void *context, struct http_exchange *exchange)
{
    reply_camera(context, exchange, 200, id_of(exchange));
}

/* ---- what comes in ---- */

/* A camera as it was sent; texts are empty where nothing was. */
struct sent_camera {
    char name[NAME_BYTES + 1], url[URL_BYTES + 1], username[USER_BYTES + 1];
    char password[PASSWORD_BYTES + 1];
    bool has_name, has_url, has_username, has_password, enabled, has_enabled;
};

static int read_text(const json_t *body, const char *name, char *out, size_t max, bool *has,
                     struct reason *why)
{
    const char *text = NULL;
    int rc = json_body_text(&text, body, name, max, false, why);
    *has = rc == OW_OK && text;
    if (*has)
        snprintf(out, max + 1, "%s", text);
    return rc;
}

static bool is_camera_address(const char *url)
{
    static const char *const beginnings[] = {"rtsp://", "rtsps://", "rtmp://",        "rtmps://",
                                             "http://", "https://", "v4l2:/dev/video"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncasecmp(url, beginnings[i], strlen(beginnings[i])) == 0)
            return url[strlen(beginnings[i])] != '\0';
    return false;
}

/* What is encoded becomes what it stands for, in place. */
static void percent_decode(char *text)
{
    char *out = text;
    while (*text) {
        int byte = percent_byte(text, strlen(text));
        *out++ = byte > 0 ? (char)byte : *text;
        text += byte > 0 ? 3 : 1;
    }
    *out = '\0';
}

/* rtsp://user:password@host: user and password are taken out of it. */
static int take_credentials(struct sent_camera *sent, struct reason *why)
{
    char *rest = strstr(sent->url, "://");
    if (!rest)
        return OW_OK;
    rest += 3;
    size_t authority = strcspn(rest, "/?#");
    char *at = memrchr(rest, '@', authority);
    if (!at)
        return OW_OK;
    char *colon = memchr(rest, ':', (size_t)(at - rest));
    size_t user = (size_t)((colon ? colon : at) - rest);
    size_t password = colon ? (size_t)(at - colon - 1) : 0;
    if (user > USER_BYTES || password > PASSWORD_BYTES)
        return reason_set(why, OW_EINVAL, "The user or password in the address is too long.");
    snprintf(sent->username, sizeof sent->username, "%.*s", (int)user, rest);
    percent_decode(sent->username);
    if (!json_body_is_utf8(sent->username)) /* a camera with such a text would be in no answer */
        return reason_set(why, OW_EINVAL, "The user in the address is not UTF-8.");
    sent->has_username = true;
    if (colon) {
        snprintf(sent->password, sizeof sent->password, "%.*s", (int)password, colon + 1);
        percent_decode(sent->password);
        sent->has_password = true;
    }
    memmove(rest, at + 1, strlen(at + 1) + 1);
    return OW_OK;
}

static int read_camera(const json_t *body, struct sent_camera *out, struct reason *why)
{
    *out = (struct sent_camera){.enabled = true};
    int rc = read_text(body, "name", out->name, NAME_BYTES, &out->has_name, why);
    if (rc == OW_OK)
        rc = read_text(body, "url", out->url, URL_BYTES, &out->has_url, why);
    if (rc == OW_OK)
        rc = read_text(body, "username", out->username, USER_BYTES, &out->has_username, why);
    if (rc == OW_OK)
        rc = read_text(body, "password", out->password, PASSWORD_BYTES, &out->has_password, why);
    const json_t *enabled = json_object_get(body, "enabled");
    if (rc == OW_OK && enabled && !json_is_boolean(enabled))
        rc = reason_set(why, OW_EINVAL, "\"enabled\" must be true or false.");
    out->has_enabled = json_is_boolean(enabled);
    out->enabled = !enabled || json_is_true(enabled);
    if (rc == OW_OK && out->has_url && !is_camera_address(out->url))
        rc = reason_set(why, OW_EINVAL,
                        "\"url\" must be an rtsp://, rtmp:// or http:// address, or "
                        "v4l2:/dev/video0.");
    return rc == OW_OK ? take_credentials(out, why) : rc;
}

/* The camera that was sent; answers itself and returns false when it is none. */
static bool take_camera(struct http_exchange *exchange, struct sent_camera *out)
{
    struct reason why = {""};
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return false;
    int rc = read_camera(body, out, &why);
    json_decref(body);
    if (rc < 0)
        api_reply_failure(exchange, rc, &why);
    return rc == OW_OK;
}

void api_camera_add(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct sent_camera sent;
    struct reason why = {""};
    struct random_source random;
    char id[24];
    if (!take_camera(exchange, &sent))
        return;
    if (!sent.name[0] || !sent.url[0]) {
        http_reply_error(exchange, 400, "A camera needs a \"name\" and a \"url\".");
        return;
    }
    random_system(&random);
    snprintf(id, sizeof id, "camera-%08" PRIx32, random_u32(&random));
    struct store_camera camera = {.id = id,
                                  .name = sent.name,
                                  .url = sent.url,
                                  .username = sent.username,
                                  .enabled = sent.enabled};
    int rc = store_camera_add(api->settings.store, &camera, sent.password);
    if (rc == OW_OK)
        reply_camera(api, exchange, 201, id);
    else
        reply_failure(exchange, rc, &why);
}

/* What was not sent stays as it is. */
static int merge(struct api *api, const char *id, const struct sent_camera *sent)
{
    struct store_camera old;
    int rc = store_camera_get(api->settings.store, id, &old);
    if (rc == OW_OK) {
        struct store_camera camera = {
            .id = (char *)id,
            .name = sent->has_name && sent->name[0] ? (char *)sent->name : old.name,
            .url = sent->has_url ? (char *)sent->url : old.url,
            .username = sent->has_username ? (char *)sent->username : old.username,
            .enabled = sent->has_enabled ? sent->enabled : old.enabled,
        };
        rc = store_camera_set(api->settings.store, &camera,
                              sent->has_password ? sent->password : NULL);
    }
    store_camera_clear(&old);
    return rc;
}

void api_camera_replace(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct sent_camera sent;
    struct reason why = {""};
    if (!take_camera(exchange, &sent))
        return;
    int rc = merge(api, id_of(exchange), &sent);
    if (rc == OW_OK)
        reply_camera(api, exchange, 200, id_of(exchange));
    else
        reply_failure(exchange, rc, &why);
}

void api_camera_remove(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct reason why = {""};
    int rc = store_camera_remove(api->settings.store, id_of(exchange));
    if (rc == OW_OK)
        api_reply_json(exchange, 200, json_pack("{s:s}", "status", "deleted"));
    else
        reply_failure(exchange, rc, &why);
}

/* Opens it as a workflow would. */
void api_camera_test(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    char url[URL_BYTES + 3 * (USER_BYTES + PASSWORD_BYTES) + 8];
    struct source_status status = {0};
    struct reason why = {""};
    int rc = store_camera_address(api->settings.store, id_of(exchange), url, sizeof url, &why);
    if (rc < 0) {
        reply_failure(exchange, rc, &why);
        return;
    }
    rc = source_probe(url, PROBE_US, &api->stopping, &status, &why);
    if (rc == OW_ECLOSED) {
        api_reply_failure(exchange, rc, &why);
        return;
    }
    const char *reason = rc == OW_OK      ? ""
                         : status.text[0] ? status.text
                         : why.text[0]    ? why.text
                                          : "No picture came within 5 s.";
    api_reply_json(exchange, 200,
                   json_pack("{s:b, s:i, s:i, s:f, s:s, s:s}", "ok", rc == OW_OK, "width",
                             status.width, "height", status.height, "fps", status.fps, "codec",
                             status.codec, "reason", reason));
}
