#include "api/url_secrets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MASK[] = "***";

struct part {
    const char *text;
    size_t size;
};

/* The password of scheme://user:password@host, NULL text when there is none. Between :// and the
 * next slash the last @ ends the user's part (browsers and libavformat read it so). */
static struct part find_password(const char *url)
{
    const char *authority = strstr(url, "://");
    if (!authority)
        return (struct part){0};
    authority += 3;
    const char *end = authority + strcspn(authority, "/?#"), *at = end;
    while (at > authority && at[-1] != '@')
        at--;
    if (at == authority)
        return (struct part){0};
    const char *colon = memchr(authority, ':', (size_t)(at - 1 - authority));
    if (!colon || colon + 1 == at - 1)
        return (struct part){0};
    return (struct part){colon + 1, (size_t)(at - 1 - (colon + 1))};
}

static bool is_mask(struct part password)
{
    return password.size == sizeof MASK - 1 && memcmp(password.text, MASK, password.size) == 0;
}

/* host:port behind the user's part. A password goes back to its own host only: who may edit a
 * workflow must not have it sent elsewhere. */
static struct part host_behind(struct part password)
{
    const char *host = password.text + password.size + 1;
    return (struct part){host, strcspn(host, "/?#")};
}

static bool is_text(struct part part, const json_t *text)
{
    return json_string_length(text) == part.size && part.size > 0 &&
           memcmp(json_string_value(text), part.text, part.size) == 0;
}

static json_t *with_password(const char *url, struct part old, const char *password)
{
    return json_sprintf("%.*s%s%s", (int)(old.text - url), url, password, old.text + old.size);
}

typedef json_t *replace_password(const char *node_id, const char *setting, const char *url,
                                 struct part password, json_t *secrets);

/* Calls `replace` for each text of the object that holds a password. `prefix` stands before the
 * name of its secret. */
static void each_text(const char *node_id, json_t *object, const char *prefix, json_t *secrets,
                      replace_password *replace)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        const char *url = json_string_value(value);
        struct part password = url ? find_password(url) : (struct part){0};
        char *setting = NULL;
        if (!password.text || asprintf(&setting, "%s%s", prefix, key) < 0)
            continue;
        json_t *other = replace(node_id, setting, url, password, secrets);
        if (other)
            json_object_set_new(object, key, other);
        free(setting);
    }
}

/* Settings may be nested in `config`, as the old page did; what stands beside it then has no effect
 * and must not take the place of a secret that has. */
static void each_password(const char *node_id, json_t *data, json_t *secrets,
                          replace_password *replace)
{
    json_t *config = json_object_get(data, "config");
    each_text(node_id, config, "", secrets, replace);
    each_text(node_id, data, json_is_object(config) ? "data." : "", secrets, replace);
}

static json_t *hide(const char *node_id, const char *setting, const char *url, struct part password,
                    json_t *secrets)
{
    if (is_mask(password))
        return NULL;
    json_t *of_node = json_object_get(secrets, node_id);
    if (!of_node) {
        of_node = json_object();
        json_object_set_new(secrets, node_id, of_node);
    }
    struct part host = host_behind(password);
    json_object_set_new(of_node, setting,
                        json_pack("{s:s%, s:s%}", "password", password.text, password.size, "host",
                                  host.text, host.size));
    return with_password(url, password, MASK);
}

static json_t *reveal(const char *node_id, const char *setting, const char *url,
                      struct part password, json_t *secrets)
{
    const json_t *known = json_object_get(json_object_get(secrets, node_id), setting);
    const char *secret = json_string_value(json_object_get(known, "password"));
    bool same_host = is_text(host_behind(password), json_object_get(known, "host"));
    return secret && same_host && is_mask(password) ? with_password(url, password, secret) : NULL;
}

void url_secrets_hide_node(const char *node_id, json_t *data, json_t *secrets)
{
    each_password(node_id, data, secrets, hide);
}

void url_secrets_reveal_node(const char *node_id, json_t *data, const json_t *secrets)
{
    each_password(node_id, data, (json_t *)secrets, reveal);
}

static bool has_node(const json_t *nodes, const char *id)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const char *have = json_string_value(json_object_get(json_array_get(nodes, i), "id"));
        if (have && strcmp(have, id) == 0)
            return true;
    }
    return false;
}

static void forget_gone_nodes(const json_t *nodes, json_t *secrets)
{
    const char *id;
    json_t *of_node;
    void *next;
    json_object_foreach_safe(secrets, next, id, of_node) if (!has_node(nodes, id))
        json_object_del(secrets, id);
}

static void each_node(json_t *document, json_t *secrets,
                      void (*work)(const char *node_id, json_t *data, json_t *secrets))
{
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(document, "nodes"), i, node)
    {
        const char *id = json_string_value(json_object_get(node, "id"));
        json_t *data = json_object_get(node, "data");
        if (id && json_is_object(data))
            work(id, data, secrets);
    }
}

static void reveal_node(const char *node_id, json_t *data, json_t *secrets)
{
    url_secrets_reveal_node(node_id, data, secrets);
}

void url_secrets_hide(json_t *document, json_t *secrets)
{
    forget_gone_nodes(json_object_get(document, "nodes"), secrets);
    each_node(document, secrets, url_secrets_hide_node);
}

void url_secrets_reveal(json_t *document, const json_t *secrets)
{
    each_node(document, (json_t *)secrets, reveal_node);
}
