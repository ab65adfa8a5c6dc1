/* Who may use a protected server: a password, tokens, and the sessions of those who have logged in.
 * Owns no clock; any thread may call.
 *
 * A token is long, so that it cannot be guessed and needs no limit on tries; a password is tried
 * through http_auth_login() only, which is limited (http_auth_limit.h). Both are kept hashed. */
#ifndef OW_NET_HTTP_AUTH_H
#define OW_NET_HTTP_AUTH_H

#include "core/address.h"
#include "core/error.h"

struct http_auth;

enum {
    HTTP_AUTH_TOKENS = 4,
    HTTP_AUTH_MIN_PASSWORD = 8,
    HTTP_AUTH_MIN_TOKEN = 20,
    HTTP_AUTH_MAX_SECRET = 256,
    HTTP_AUTH_SESSION_BYTES = 2 * 32 + 1, /* 256 bits in hexadecimal digits, and a NUL */
    HTTP_AUTH_SESSIONS = 64,              /* the default of max_sessions */
};

struct http_auth_settings {
    const char *password; /* plain, or as http_password_hash() writes it; NULL = none */
    const char *tokens[HTTP_AUTH_TOKENS]; /* NULL = none */
    int64_t idle_us;                      /* a session ends when unused for so long; 0 = 24 hours */
    int64_t absolute_us;                  /* and so long after its log-in; 0 = 7 days */
    int max_sessions; /* the one unused for longest gives way to a new one; 0 = HTTP_AUTH_SESSIONS
                       */
};

struct http_auth_stats {
    int sessions;
    uint64_t logins, failures, limited;
};

/* OW_EINVAL with a sentence when nothing is given, or a secret is too short or too long. */
int http_auth_create(struct http_auth **out, const struct http_auth_settings *settings,
                     struct reason *why);
void http_auth_destroy(struct http_auth **auth);

/* Checks the password or a token and begins a session; takes about 50 ms. OW_EAUTH: wrong.
 * OW_ELIMIT: nothing was checked, *retry_after_s says when it will be. */
int http_auth_login(struct http_auth *auth, const struct address *peer, const char *secret,
                    int64_t now_us, char session[HTTP_AUTH_SESSION_BYTES], int *retry_after_s);
void http_auth_logout(struct http_auth *auth, const char *session);

/* The number of a living session, which counts as used now; 0 = there is none. */
uint64_t http_auth_session(struct http_auth *auth, const char *session, int64_t now_us);
/* Does it live yet? Counts as use. */
bool http_auth_session_lives(struct http_auth *auth, uint64_t number, int64_t now_us);
bool http_auth_token_fits(struct http_auth *auth, const char *token);

void http_auth_read_stats(struct http_auth *auth, int64_t now_us, struct http_auth_stats *out);

#endif
