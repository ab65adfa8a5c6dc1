/* /api/uploads: videos and models that people send. */
#include "api/api_internal.h"
#include "net/multipart.h"
#include "workflow/runtime.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 64 * 1024 };

static json_t *describe(struct api *api, const struct store_upload *row)
{
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:b}", "id", row->id, "filename", row->name, "path",
                     json_sprintf(UPLOAD_PREFIX "%s", row->file), "size_bytes",
                     (json_int_t)row->bytes, "created_at", (json_int_t)row->created_s, "in_use",
                     runtime_has_upload_open(api->runtime, row->file));
}

static void reply_failure(struct http_exchange *exchange, int rc, const struct reason *why)
{
    if (rc == OW_EIO)
        http_reply_error(exchange, 507, why->text);
    else
        api_reply_failure(exchange, rc, why);
}

/* ---- taking one in ---- */

/* Where its bytes are in the body: they are the body, or the file of a form. */
struct intake {
    struct api *api;
    struct http_exchange *exchange;
    enum upload_kind kind;
    struct upload *upload; /* NULL until a name is known */
    bool is_form;
    struct multipart form;
};

static int begin(struct intake *self, const char *name, uint64_t size, struct reason *why)
{
    const struct http_request *request = http_exchange_request(self->exchange);
    const char *given = http_query(request, "name"), *sidecar = http_query(request, "sidecar");
    int rc = upload_begin(&self->upload, &self->api->uploads, self->kind, given ? given : name,
                          size, why);
    return rc == OW_OK && sidecar ? upload_set_sidecar(self->upload, sidecar, why) : rc;
}

static bool form_ended(const struct intake *self)
{
    return self->form.state == MULTIPART_DONE || self->form.state == MULTIPART_NONE;
}

static int take_form(struct intake *self, const char *data, size_t size, struct reason *why)
{
    while (size > 0 && !form_ended(self)) {
        size_t used = 0, body_size = 0;
        const char *body = NULL;
        int rc = multipart_read(&self->form, data, size, &used, &body, &body_size);
        if (rc < 0)
            return reason_set(why, rc, "The form is not well formed (RFC 7578).");
        bool found = self->form.state == MULTIPART_FILE || self->form.state == MULTIPART_DONE;
        if (found && !self->upload)
            rc = begin(self, self->form.filename, 0, why);
        if (rc == OW_OK && body_size > 0)
            rc = upload_write(self->upload, body, body_size, why);
        if (rc < 0)
            return rc;
        data += used;
        size -= used;
    }
    return OW_OK;
}

static int take_all(struct intake *self, struct reason *why)
{
    char *piece = malloc(PIECE_BYTES);
    size_t size = 0;
    int rc = piece ? OW_OK : OW_ENOMEM;
    while (rc == OW_OK) {
        rc = http_read_body(self->exchange, piece, PIECE_BYTES, &size);
        if (rc < 0 || size == 0)
            break;
        rc = self->is_form ? take_form(self, piece, size, why)
                           : upload_write(self->upload, piece, size, why);
    }
    free(piece);
    if (rc == OW_OK && self->is_form && self->form.state != MULTIPART_DONE)
        rc = reason_set(why, OW_EINVAL,
                        self->form.state == MULTIPART_NONE ? "The form has no part with a file."
                                                           : "The form ends before its file does.");
    return rc;
}

static void take(struct api *api, struct http_exchange *exchange, enum upload_kind kind)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct intake intake = {.api = api, .exchange = exchange, .kind = kind};
    struct store_upload row = {0};
    json_t *found = NULL;
    struct reason why = {""};
    intake.is_form = multipart_init(&intake.form, request->content_type) == OW_OK;
    /* A form is somewhat larger than its file. */
    uint64_t size = intake.is_form ? 0 : request->content_length;
    int rc = OW_OK;
    if (!intake.is_form && api_is_type(request->content_type, "multipart/form-data"))
        rc = reason_set(&why, OW_EINVAL, "The form's boundary is missing or not well formed.");
    else if (!intake.is_form)
        rc = begin(&intake, "", size, &why);
    if (rc == OW_OK)
        rc = take_all(&intake, &why);
    if (rc == OW_OK)
        rc = upload_finish(intake.upload, api->runtime, &row, &found, &why);
    upload_close(&intake.upload); /* who reads the answer finds nothing left of what was refused */
    if (rc == OW_OK) {
        json_t *answer = describe(api, &row);
        (void)json_object_update(answer, found);
        api_reply_json(exchange, 201, answer);
    } else {
        reply_failure(exchange, rc, &why);
    }
    json_decref(found);
    store_upload_clear(&row);
}

/* On a thread of its own, while the body comes. */
void api_upload_video(void *context, struct http_exchange *exchange)
{
    take(context, exchange, UPLOAD_VIDEO);
}

void api_upload_model(void *context, struct http_exchange *exchange)
{
    take(context, exchange, UPLOAD_MODEL);
}

/* ---- those that are there ---- */

struct listing {
    struct api *api;
    json_t *list;
};

static int add_row(void *context, const struct store_upload *row)
{
    struct listing *listing = context;
    json_array_append_new(listing->list, describe(listing->api, row));
    return OW_OK;
}

void api_uploads_list(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct listing listing = {api, json_array()};
    (void)store_upload_list(api->settings.store, add_row, &listing);
    api_reply_json(exchange, 200,
                   json_pack("{s:I, s:o, s:I}", "total", (json_int_t)json_array_size(listing.list),
                             "uploads", listing.list, "max_bytes",
                             api->uploads.folder[0] ? (json_int_t)api->uploads.max_bytes : 0));
}

void api_upload_remove(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct store_upload row = {0};
    struct reason why = {""};
    int rc = store_upload_get(api->settings.store,
                              http_param(http_exchange_request(exchange), "id"), &row);
    if (rc == OW_OK && runtime_has_upload_open(api->runtime, row.file))
        rc = reason_set(&why, OW_ESTATE, "A running workflow uses this file: stop it first.");
    if (rc == OW_OK)
        rc = uploads_remove(&api->uploads, &row);
    if (rc == OW_OK)
        api_reply_json(exchange, 200, json_pack("{s:s}", "status", "deleted"));
    else if (rc == OW_ENOTFOUND)
        http_reply_error(exchange, 404, "There is no upload with this id.");
    else
        reply_failure(exchange, rc, &why);
    store_upload_clear(&row);
}
