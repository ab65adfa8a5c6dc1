#include "api/ice_servers.h"

#include "net/turn_credentials.h"

#include <stdio.h>
#include <string.h>

struct credentials {
    const char *username, *password; /* NULL = there are none */
    char made_username[TURN_CREDENTIAL_BYTES], made_password[TURN_CREDENTIAL_BYTES];
};

/* By the shared secret when there is one, else as set. */
static int find_credentials(struct credentials *out, const struct api_ice_servers *servers,
                            int64_t wall_s)
{
    *out = (struct credentials){.username = servers->turn_username,
                                .password = servers->turn_password};
    if (!servers->turn_secret)
        return OW_OK;
    int rc = turn_credentials(servers->turn_secret, wall_s, ICE_SERVERS_LIFETIME_S,
                              out->made_username, out->made_password);
    out->username = out->made_username;
    out->password = out->made_password;
    return rc;
}

/* The next of URLs separated by commas or blanks; its size, 0 = there is none. */
static size_t next_url(const char **list)
{
    if (!*list)
        return 0;
    *list += strspn(*list, ", ");
    return strcspn(*list, ", ");
}

static json_t *url_list(const char *list)
{
    json_t *urls = json_array();
    for (size_t size; (size = next_url(&list)) > 0; list += size)
        json_array_append_new(urls, json_stringn(list, size));
    return urls;
}

json_t *ice_servers_json(const struct api_ice_servers *servers, int64_t wall_s)
{
    json_t *out = json_array();
    struct credentials credentials;
    if (servers->stun_urls)
        json_array_append_new(out, json_pack("{s:o}", "urls", url_list(servers->stun_urls)));
    if (!servers->turn_urls || find_credentials(&credentials, servers, wall_s) != OW_OK)
        return out;
    json_t *turn = json_pack("{s:o}", "urls", url_list(servers->turn_urls));
    if (credentials.username && credentials.password) {
        json_object_set_new(turn, "username", json_string(credentials.username));
        json_object_set_new(turn, "credential", json_string(credentials.password));
    }
    json_array_append_new(out, turn);
    return out;
}

/* -- Link fields -- */

struct text {
    char *out;
    size_t at;
    bool full;
};

static void add(struct text *text, const char *bytes, size_t size)
{
    text->full |= size >= ICE_SERVERS_LINKS_BYTES - text->at;
    if (text->full)
        return;
    memcpy(text->out + text->at, bytes, size);
    text->at += size;
    text->out[text->at] = '\0';
}

static void add_text(struct text *text, const char *string)
{
    add(text, string, strlen(string));
}

/* A quoted-string (RFC 9110, 5.6.4); what cannot be in one is left out. */
static void add_quoted(struct text *text, const char *string)
{
    add_text(text, "\"");
    for (; *string; string++) {
        if (*string == '"' || *string == '\\')
            add_text(text, "\\");
        if ((unsigned char)*string >= ' ' && *string != 0x7f)
            add(text, string, 1);
    }
    add_text(text, "\"");
}

static void add_links(struct text *text, const char *list, const struct credentials *credentials)
{
    for (size_t size; (size = next_url(&list)) > 0; list += size) {
        add_text(text, "Link: <");
        add(text, list, size);
        add_text(text, ">; rel=\"ice-server\"");
        if (credentials && credentials->username && credentials->password) {
            add_text(text, "; username=");
            add_quoted(text, credentials->username);
            add_text(text, "; credential=");
            add_quoted(text, credentials->password);
            add_text(text, "; credential-type=\"password\"");
        }
        add_text(text, "\r\n");
    }
}

int ice_servers_links(const struct api_ice_servers *servers, int64_t wall_s,
                      char out[ICE_SERVERS_LINKS_BYTES])
{
    struct text text = {.out = out};
    struct credentials credentials;
    out[0] = '\0';
    add_links(&text, servers->stun_urls, NULL);
    if (servers->turn_urls && find_credentials(&credentials, servers, wall_s) == OW_OK)
        add_links(&text, servers->turn_urls, &credentials);
    if (text.full)
        out[0] = '\0';
    return text.full ? OW_ELIMIT : OW_OK;
}
