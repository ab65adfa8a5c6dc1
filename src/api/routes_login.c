/* Logging in and out. The page is workflow-builder's login.html, or a plain one of this file. */
#include "api/api_internal.h"
#include "api/plain_page.h"
#include "core/clock.h"
#include "core/log.h"
#include "net/http_access.h"
#include "net/http_auth.h"
#include "net/http_auth_fields.h"
#include "net/http_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const plain_page[] = {
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Overwatch: log in</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"><style",
    ">body{font:16px/1.5 system-ui;max-width:24em;margin:4em auto;padding:0 1em}"
    "input,button{font:inherit}input{width:100%}</style>"
    "<h1>Overwatch</h1><form><label>Password or token<br>"
    "<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required "
    "autofocus></label><p><button>Log in</button>"
    "<p role=\"alert\"></p></form><script",
    ">\n"
    "document.forms[0].onsubmit = async (event) => {\n"
    "  event.preventDefault();\n"
    "  const next = new URLSearchParams(location.search).get('next') ?? '/';\n"
    "  const answer = await fetch('/api/login', { method: 'POST',\n"
    "    headers: { 'content-type': 'application/json' },\n"
    "    body: JSON.stringify({ password: event.target.elements.password.value, next }) });\n"
    "  const body = await answer.json();\n"
    "  if (answer.ok) location.replace(body.next);\n"
    "  else document.querySelector('[role=alert]').textContent = body.detail;\n"
    "};</script>",
    NULL};

/* Where the browser goes after the log-in: into this server only. */
static const char *local_next(const char *next)
{
    return next && http_next_is_local(next) ? next : "/";
}

static bool is_logged_in(const struct api *api, const struct http_request *request)
{
    return !api->settings.auth || request->authenticated;
}

void api_page_login(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    if (is_logged_in(api, request)) {
        char headers[sizeof(struct http_pair) + 64];
        /* It came decoded; what a header cannot hold, http_next_is_local() has refused. */
        snprintf(headers, sizeof headers, "Location: %s\r\nCache-Control: no-store\r\n",
                 local_next(http_query(request, "next")));
        http_reply(exchange, 303, "text/plain", NULL, 0, headers);
    } else if (http_files_reply(exchange, api->settings.web_folder, "login.html") != OW_OK) {
        plain_page_reply(exchange, 200, plain_page);
    }
}

static void reply_welcome(struct http_exchange *exchange, const char *session, const char *next)
{
    char cookie[HTTP_SET_COOKIE_BYTES], headers[HTTP_SET_COOKIE_BYTES + 64];
    http_access_set_cookie(http_exchange_request(exchange), session, cookie);
    snprintf(headers, sizeof headers, "%sCache-Control: no-store\r\n", cookie);
    json_t *json = json_pack("{s:s, s:s}", "status", "ok", "next", local_next(next));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text)
        http_reply(exchange, 200, "application/json", text, strlen(text), headers);
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text);
}

static void refuse_login(struct http_exchange *exchange, int code, int retry_after_s)
{
    char peer[ADDRESS_TEXT_BYTES], headers[96], body[160];
    address_ip_text(&http_exchange_request(exchange)->peer, peer);
    if (code != OW_ELIMIT) {
        log_warn("a log-in from %s was refused: the password or token is wrong", peer);
        http_reply_error(exchange, 401, "The password or token is wrong.");
        return;
    }
    log_warn("a log-in from %s was refused: too many tries", peer);
    snprintf(headers, sizeof headers, "Retry-After: %d\r\nCache-Control: no-store\r\n",
             retry_after_s);
    int size = snprintf(body, sizeof body,
                        "{\"detail\": \"Too many tries: the next one is possible in %d s.\"}",
                        retry_after_s);
    http_reply(exchange, 429, "application/json", body, (size_t)size, headers);
}

void api_login(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return;
    const char *password = json_string_value(json_object_get(body, "password"));
    const char *next = json_string_value(json_object_get(body, "next"));
    char session[HTTP_AUTH_SESSION_BYTES] = "";
    int retry_after_s = 0;
    if (!password) {
        http_reply_error(exchange, 400, "\"password\" is missing: the password or a token.");
    } else if (!api->settings.auth) {
        api_reply_json(exchange, 200,
                       json_pack("{s:s, s:s}", "status", "ok", "next", local_next(next)));
    } else {
        int rc = http_auth_login(api->settings.auth, &request->peer, password, clock_now_us(),
                                 session, &retry_after_s);
        if (rc == OW_OK)
            reply_welcome(exchange, session, next);
        else
            refuse_login(exchange, rc, retry_after_s);
    }
    json_decref(body);
}

void api_logout(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    char session[HTTP_AUTH_SESSION_BYTES], cookie[HTTP_SET_COOKIE_BYTES];
    if (api->settings.auth && http_access_session(request, session, sizeof session))
        http_auth_logout(api->settings.auth, session);
    http_access_set_cookie(request, "", cookie);
    static const char body[] = "{\"status\": \"logged out\"}";
    http_reply(exchange, 200, "application/json", body, sizeof body - 1, cookie);
}
