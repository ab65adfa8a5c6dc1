#include "net/http_guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 256 };

/* "name:port", "[::1]:port" or either alone → the name without brackets. */
static bool host_name(const char *host, char name[HOST_BYTES])
{
    size_t length;
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        host++;
        length = (size_t)(end - host);
    } else {
        length = strcspn(host, ":");
    }
    if (length == 0 || length >= HOST_BYTES)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return true;
}

static bool in_list(const char *name, const char *list)
{
    size_t length = strlen(name);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t item = strcspn(list, ", \t");
        if (item == 1 && list[0] == '*')
            return true;
        if (item == length && strncasecmp(list, name, length) == 0)
            return true;
        list += item;
    }
    return false;
}

static bool binds_all(const char *bind_address)
{
    return !bind_address || !bind_address[0] || strcmp(bind_address, "0.0.0.0") == 0 ||
           strcmp(bind_address, "::") == 0;
}

bool http_host_allowed(const char *host, const char *bind_address, const char *allowed_hosts)
{
    char name[HOST_BYTES];
    if (!host_name(host, name))
        return false;
    struct address literal;
    bool is_literal = address_parse(&literal, name, 0) == OW_OK;
    if (strcasecmp(name, "localhost") == 0 || (is_literal && address_is_loopback(&literal)))
        return true;
    if (is_literal && binds_all(bind_address))
        return true;
    return (bind_address && strcasecmp(name, bind_address) == 0) || in_list(name, allowed_hosts);
}

bool http_origin_allowed(const char *origin, const char *host)
{
    if (!origin[0])
        return true;
    const char *authority = strstr(origin, "://");
    return authority && strcasecmp(authority + 3, host) == 0;
}

/* "https://name:port" of a page that the operator has named beside ours. */
static bool origin_listed(const char *origin, const char *allowed_hosts)
{
    char name[HOST_BYTES];
    const char *authority = strstr(origin, "://");
    return authority && host_name(authority + 3, name) && in_list(name, allowed_hosts);
}

int http_guard_check(const char *host, const char *origin, const char *bind_address,
                     const char *allowed_hosts, struct reason *why)
{
    if (!http_host_allowed(host, bind_address, allowed_hosts))
        return reason_set(why, OW_EAUTH,
                          "This server is not known by the name in the Host header. Use localhost, "
                          "or start it with --allowed-hosts and that name.");
    if (!http_origin_allowed(origin, host) && !origin_listed(origin, allowed_hosts))
        return reason_set(why, OW_EAUTH,
                          "Requests from pages of another origin are refused. Open the page from "
                          "this server itself.");
    return OW_OK;
}

static bool take_param(const char *name, size_t name_size, const char *value, size_t value_size,
                       struct http_request *request)
{
    if (request->param_count == HTTP_MAX_PARAMS || value_size == 0)
        return false;
    struct http_pair *pair = &request->params[request->param_count];
    if (name_size >= sizeof pair->name || value_size >= sizeof pair->value)
        return false;
    request->param_count++;
    memcpy(pair->name, name, name_size);
    pair->name[name_size] = '\0';
    memcpy(pair->value, value, value_size);
    pair->value[value_size] = '\0';
    return true;
}

bool http_route_match(const char *pattern, const char *path, struct http_request *request)
{
    request->param_count = 0;
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t name_size = strcspn(pattern, "}") - 1;
            size_t value_size = strcspn(path, "/");
            if (!take_param(pattern + 1, name_size, path, value_size, request))
                return false;
            pattern += name_size + 2;
            path += value_size;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    if (*path == '/' && path[1] == '\0')
        path++; /* a slash at the end is forgiven */
    return *pattern == '\0' && *path == '\0';
}

static const char *find_pair(const struct http_pair *pairs, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *http_param(const struct http_request *request, const char *name)
{
    return find_pair(request->params, request->param_count, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
    return find_pair(request->query, request->query_count, name);
}
