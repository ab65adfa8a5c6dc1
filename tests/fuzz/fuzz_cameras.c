/* Bodies of POST and PUT /api/cameras, through their handlers and a real store: answered with a
 * status that is documented, kept without a password, and opened with the one that was given. */
#include "fuzz.h"

#include "api/api_internal.h"
#include "core/percent.h"
#include "net/http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct api api;

static void open_once(void)
{
    struct reason why;
    if (!api.settings.store && store_open(&api.settings.store, ":memory:", &why) != OW_OK)
        abort();
}

/* The answer of a handler to this body; *status is set. NULL when it is no JSON. */
static json_t *ask(void (*handle)(void *context, struct http_exchange *exchange), const char *id,
                   const char *body, size_t size, int *status)
{
    struct http_exchange *exchange = NULL;
    if (http_exchange_create(&exchange, NULL) != OW_OK)
        abort();
    struct http_request *request = &exchange->request;
    char *copy = realloc(request->body, size + 1);
    if (!copy)
        abort();
    memcpy(copy, body, size);
    copy[size] = '\0';
    request->body = copy;
    request->body_size = size;
    snprintf(request->params[0].name, sizeof request->params[0].name, "id");
    snprintf(request->params[0].value, sizeof request->params[0].value, "%s", id);
    request->param_count = 1;
    handle(&api, exchange);
    if (!atomic_load(&exchange->replied))
        abort();
    *status = exchange->status;
    json_t *answer =
        json_loadb((const char *)exchange->body + HTTP_HEADROOM, exchange->body_size, 0, NULL);
    http_exchange_unref(&exchange);
    if (!answer)
        abort();
    return answer;
}

/* What lies between :// and @ of an address, decoded, is user:password. */
static void check_address(const char *id, const char *user)
{
    char url[4096], *password = NULL, decoded[1024];
    struct reason why = {""};
    int rc = store_camera_address(api.settings.store, id, url, sizeof url, &why);
    if (rc == OW_ESTATE)
        return;
    if (rc != OW_OK || store_camera_password(api.settings.store, id, &password) != OW_OK)
        abort();
    const char *begin = strstr(url, "://");
    begin = begin ? begin + 3 : url;
    const char *end = begin + strcspn(begin, "/?#"),
               *at = memrchr(begin, '@', (size_t)(end - begin));
    const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
    if (strstr(url, "://") && user[0] && (!at || (password[0] && !colon)))
        abort();
    if (user[0] && password[0] && at && colon) {
        size_t size = 0;
        for (const char *c = colon + 1; c < at && size + 1 < sizeof decoded;) {
            int byte = percent_byte(c, (size_t)(at - c));
            decoded[size++] = byte > 0 ? (char)byte : *c;
            c += byte > 0 ? 3 : 1;
        }
        decoded[size] = '\0';
        if (strcmp(decoded, password) != 0)
            abort();
    }
    free(password);
}

static void check_camera(const json_t *camera)
{
    const char *url = json_string_value(json_object_get(camera, "url"));
    const char *id = json_string_value(json_object_get(camera, "id"));
    const char *user = json_string_value(json_object_get(camera, "username"));
    if (!url || !id || !user || json_object_get(camera, "password"))
        abort();
    const char *authority = strstr(url, "://");
    if (authority && memchr(authority + 3, '@', strcspn(authority + 3, "/?#")))
        abort(); /* user and password are still in it */
    check_address(id, user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int status = 0;
    open_once();
    json_t *added = ask(api_camera_add, "", (const char *)data, size, &status);
    if (status == 201)
        check_camera(added);
    else if (status != 400 || json_string_length(json_object_get(added, "detail")) == 0)
        abort();
    static const char plain[] = "{\"name\": \"plain\", \"url\": \"rtsp://camera/1\"}";
    json_t *other = status == 201 ? json_incref(added)
                                  : ask(api_camera_add, "", plain, sizeof plain - 1, &status);
    const char *id = json_string_value(json_object_get(other, "id"));
    json_t *changed = ask(api_camera_replace, id, (const char *)data, size, &status);
    if (status == 200)
        check_camera(changed);
    else if (status != 400)
        abort();
    json_decref(ask(api_camera_remove, id, "", 0, &status));
    if (status != 200)
        abort();
    json_decref(changed);
    json_decref(other);
    json_decref(added);
    return 0;
}
