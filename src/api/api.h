/* The interface of docs/api.md: HTTP routes, the WebSocket hub and the web page, on one port. This
 * room only translates: it knows the runtime (src/workflow) and the media server (src/net). */
#ifndef OW_API_API_H
#define OW_API_API_H

#include "api/mqtt_out.h"
#include "core/error.h"
#include "net/media_server.h"
#include "store/store.h"
#include "workflow/runtime.h"

struct api;
struct http_auth; /* net/http_auth.h */

/* STUN and TURN servers for viewers; URLs are separated by commas or blanks, NULL = none. With a
 * secret, the one that the TURN server shares, names and passwords are made anew for each viewer
 * and end by themselves; it is told to nobody. */
struct api_ice_servers {
    const char *stun_urls, *turn_urls;
    const char *turn_username, *turn_password, *turn_secret;
};

struct api_settings {
    const char *bind_address;                                /* "127.0.0.1" by default */
    uint16_t port;                                           /* TCP; 0 = chosen by the system */
    const char *web_folder;                                  /* the built page */
    const char *model_folder, *default_model, *media_folder; /* as the runtime's */
    const char *upload_folder;                               /* NULL = no videos are taken */
    uint64_t upload_max_bytes;                               /* of one video */
    int max_connections, max_per_address;  /* 0 = the defaults of net/http_server.h */
    const char *tls_certificate, *tls_key; /* PEM files; NULL = plain HTTP; lent for good */
    const char *allowed_hosts; /* comma separated names besides the bind address and localhost */
    const char *version;       /* of the program, for /healthz; lent for good, NULL = "" */
    struct http_auth *auth;    /* lent for the api's life; NULL = everybody may do everything */
    struct media_server *media;
    struct store *store;                /* lent until api_destroy() */
    struct mqtt_out mqtt;               /* its client is lent until the runtime has ended */
    struct api_ice_servers ice_servers; /* lent for good */
};

/* In two steps, because the runtime needs the outputs and the server needs the runtime. */
int api_create(struct api **out, const struct api_settings *settings);
/* What the runtime shall give its pictures to. */
struct view_outputs api_view_outputs(struct api *api);
struct runtime_outputs api_node_outputs(struct api *api);
/* Starts the HTTP thread. A port already taken: OW_EEXISTS with `why`. */
int api_start(struct api *api, struct runtime *runtime, struct reason *why);
/* Starts the workflows that ran when the program last ended; after api_start(). */
void api_resume_workflows(struct api *api);
/* Keeps this workflow and starts it when none has ever been kept. */
int api_add_example(struct api *api, json_t *workflow, struct reason *why);
/* http_server_reload_tls(). */
int api_reload_tls(struct api *api, struct reason *why);
uint16_t api_port(const struct api *api);
/* Tells WebSocket clients, stops the thread; within 1 s. The runtime must outlive this. */
void api_stop(struct api *api);
void api_destroy(struct api **api);

#endif
