#include "net/http_auth.h"

#include "core/random.h"
#include "net/http_auth_limit.h"
#include "net/http_auth_password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_BYTES = 32, KEY_BYTES = 32, SECRET_BYTES = 32 };

static const int64_t hour_us = 3600 * (int64_t)1000000;

struct session {
    uint64_t number; /* 0 = free */
    int64_t begun_us, used_us;
    uint8_t digest[DIGEST_BYTES]; /* of what the browser holds */
};

struct http_auth {
    char password_hash[HTTP_PASSWORD_HASH_BYTES]; /* "" = none */
    uint8_t key[KEY_BYTES];                       /* of the digests; of this process only */
    uint8_t tokens[HTTP_AUTH_TOKENS][DIGEST_BYTES];
    int token_count;
    int64_t idle_us, absolute_us;

    pthread_mutex_t lock; /* guards all below */
    struct http_limit limit;
    struct http_auth_stats stats;
    uint64_t last_number;
    int max_sessions;
    struct session *sessions;
};

static void digest_of(const struct http_auth *auth, const char *text, uint8_t out[DIGEST_BYTES])
{
    unsigned size = DIGEST_BYTES;
    if (!HMAC(EVP_sha256(), auth->key, KEY_BYTES, (const unsigned char *)text, strlen(text), out,
              &size))
        abort(); /* nothing may be let in by a digest that is not one */
}

static int check_secret(const char *secret, const char *what, size_t least, struct reason *why)
{
    size_t size = strlen(secret);
    if (size < least || size > HTTP_AUTH_MAX_SECRET)
        return reason_set(why, OW_EINVAL, "the %s must have %zu to %d characters", what, least,
                          HTTP_AUTH_MAX_SECRET);
    return OW_OK;
}

static int take_password(struct http_auth *auth, const char *password, struct reason *why)
{
    if (http_password_is_hash(password)) {
        snprintf(auth->password_hash, sizeof auth->password_hash, "%s", password);
        return OW_OK;
    }
    int rc = check_secret(password, "password", HTTP_AUTH_MIN_PASSWORD, why);
    if (rc != OW_OK)
        return rc;
    rc = http_password_hash(password, auth->password_hash);
    return rc == OW_OK ? rc : reason_set(why, rc, "the password cannot be hashed: out of memory");
}

static int take_secrets(struct http_auth *auth, const struct http_auth_settings *settings,
                        struct reason *why)
{
    int rc = settings->password ? take_password(auth, settings->password, why) : OW_OK;
    for (int i = 0; i < HTTP_AUTH_TOKENS && rc == OW_OK; i++) {
        const char *token = settings->tokens[i];
        if (!token)
            continue;
        rc = check_secret(token, "token", HTTP_AUTH_MIN_TOKEN, why);
        digest_of(auth, token, auth->tokens[auth->token_count++]);
    }
    if (rc == OW_OK && !settings->password && auth->token_count == 0)
        rc = reason_set(why, OW_EINVAL, "neither a password nor a token is given");
    return rc;
}

int http_auth_create(struct http_auth **out, const struct http_auth_settings *settings,
                     struct reason *why)
{
    struct http_auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    struct random_source source;
    random_system(&source);
    source.fill(&source, auth->key, sizeof auth->key);
    pthread_mutex_init(&auth->lock, NULL);
    auth->idle_us = settings->idle_us > 0 ? settings->idle_us : 24 * hour_us;
    auth->absolute_us = settings->absolute_us > 0 ? settings->absolute_us : 7 * 24 * hour_us;
    auth->max_sessions = settings->max_sessions > 0 ? settings->max_sessions : HTTP_AUTH_SESSIONS;
    auth->sessions = calloc((size_t)auth->max_sessions, sizeof *auth->sessions);
    int rc = auth->sessions ? take_secrets(auth, settings, why)
                            : reason_set(why, OW_ENOMEM, "Out of memory.");
    if (rc != OW_OK)
        http_auth_destroy(&auth);
    else
        *out = auth;
    return rc;
}

void http_auth_destroy(struct http_auth **auth)
{
    struct http_auth *self = *auth;
    if (!self)
        return;
    *auth = NULL;
    pthread_mutex_destroy(&self->lock);
    free(self->sessions);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
}

bool http_auth_token_fits(struct http_auth *auth, const char *token)
{
    uint8_t digest[DIGEST_BYTES];
    digest_of(auth, token, digest);
    int fits = 0;
    for (int i = 0; i < auth->token_count; i++)
        fits |= CRYPTO_memcmp(digest, auth->tokens[i], DIGEST_BYTES) == 0;
    return fits != 0;
}

/* -- sessions (all under the lock) -- */

static bool lives(const struct http_auth *auth, const struct session *session, int64_t now_us)
{
    return session->number != 0 && now_us - session->used_us < auth->idle_us &&
           now_us - session->begun_us < auth->absolute_us;
}

/* A free place, one of a session that has ended, or that of the one unused for longest. */
static struct session *place(struct http_auth *auth, int64_t now_us)
{
    struct session *best = &auth->sessions[0];
    for (int i = 0; i < auth->max_sessions; i++) {
        struct session *session = &auth->sessions[i];
        if (!lives(auth, session, now_us))
            return session;
        if (session->used_us < best->used_us)
            best = session;
    }
    return best;
}

static struct session *find(struct http_auth *auth, const char *text, int64_t now_us)
{
    uint8_t digest[DIGEST_BYTES];
    digest_of(auth, text, digest);
    struct session *found = NULL;
    for (int i = 0; i < auth->max_sessions; i++)
        if (lives(auth, &auth->sessions[i], now_us) &&
            CRYPTO_memcmp(digest, auth->sessions[i].digest, DIGEST_BYTES) == 0)
            found = &auth->sessions[i];
    return found;
}

static void begin(struct http_auth *auth, int64_t now_us, char out[HTTP_AUTH_SESSION_BYTES])
{
    struct random_source source;
    uint8_t secret[SECRET_BYTES];
    random_system(&source);
    source.fill(&source, secret, sizeof secret);
    for (int i = 0; i < SECRET_BYTES; i++)
        snprintf(out + (size_t)2 * (size_t)i, 3, "%02x", secret[i]);
    OPENSSL_cleanse(secret, sizeof secret);
    struct session *session = place(auth, now_us);
    *session =
        (struct session){.number = ++auth->last_number, .begun_us = now_us, .used_us = now_us};
    digest_of(auth, out, session->digest);
}

static bool is_right(struct http_auth *auth, const char *secret)
{
    if (http_auth_token_fits(auth, secret))
        return true;
    return auth->password_hash[0] && http_password_verify(secret, auth->password_hash);
}

int http_auth_login(struct http_auth *auth, const struct address *peer, const char *secret,
                    int64_t now_us, char session[HTTP_AUTH_SESSION_BYTES], int *retry_after_s)
{
    pthread_mutex_lock(&auth->lock);
    int64_t wait_us = http_limit_take(&auth->limit, peer, now_us);
    auth->stats.limited += wait_us > 0;
    pthread_mutex_unlock(&auth->lock);
    if (wait_us > 0) {
        *retry_after_s = (int)((wait_us + 999999) / 1000000);
        return OW_ELIMIT;
    }
    /* Not under the lock: it takes long, and sessions are asked for by every request. */
    bool right = strlen(secret) <= HTTP_AUTH_MAX_SECRET && is_right(auth, secret);
    pthread_mutex_lock(&auth->lock);
    if (right) {
        http_limit_give_back(&auth->limit, peer);
        begin(auth, now_us, session);
        auth->stats.logins++;
    } else {
        auth->stats.failures++;
    }
    pthread_mutex_unlock(&auth->lock);
    return right ? OW_OK : OW_EAUTH;
}

void http_auth_logout(struct http_auth *auth, const char *session)
{
    pthread_mutex_lock(&auth->lock);
    struct session *found = find(auth, session, 0);
    if (found)
        *found = (struct session){0};
    pthread_mutex_unlock(&auth->lock);
}

uint64_t http_auth_session(struct http_auth *auth, const char *session, int64_t now_us)
{
    uint64_t number = 0;
    if (strlen(session) != HTTP_AUTH_SESSION_BYTES - 1)
        return 0;
    pthread_mutex_lock(&auth->lock);
    struct session *found = find(auth, session, now_us);
    if (found) {
        found->used_us = now_us;
        number = found->number;
    }
    pthread_mutex_unlock(&auth->lock);
    return number;
}

bool http_auth_session_lives(struct http_auth *auth, uint64_t number, int64_t now_us)
{
    bool found = false;
    pthread_mutex_lock(&auth->lock);
    for (int i = 0; i < auth->max_sessions && !found; i++) {
        struct session *session = &auth->sessions[i];
        if (session->number == number && lives(auth, session, now_us)) {
            session->used_us = now_us;
            found = true;
        }
    }
    pthread_mutex_unlock(&auth->lock);
    return found;
}

void http_auth_read_stats(struct http_auth *auth, int64_t now_us, struct http_auth_stats *out)
{
    pthread_mutex_lock(&auth->lock);
    *out = auth->stats;
    for (int i = 0; i < auth->max_sessions; i++)
        out->sessions += lives(auth, &auth->sessions[i], now_us);
    pthread_mutex_unlock(&auth->lock);
}
