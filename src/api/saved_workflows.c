#include "api/saved_internal.h"

#include "api/url_secrets.h"
#include "core/log.h"
#include "core/random.h"
#include "workflow/graph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char EXAMPLE_KEY[] = "example_added";

void saved_workflows_init(struct saved_workflows *saved, struct store *store,
                          struct runtime *runtime)
{
    *saved = (struct saved_workflows){.store = store, .runtime = runtime};
    pthread_mutex_init(&saved->change, NULL);
}

void saved_workflows_destroy(struct saved_workflows *saved)
{
    if (saved->store)
        pthread_mutex_destroy(&saved->change);
    *saved = (struct saved_workflows){0};
}

void saved_result_clear(struct saved_result *result)
{
    json_decref(result->workflow);
    json_decref(result->report);
    json_decref(result->changes);
    json_decref(result->node);
    *result = (struct saved_result){0};
}

/* ---- passwords ---- */

json_t *saved_read_secrets(struct saved_workflows *saved, const char *id)
{
    json_t *secrets = NULL;
    return store_workflow_secrets(saved->store, id, &secrets) == OW_OK ? secrets : json_object();
}

/* The document as it runs: a copy with passwords. */
static json_t *reveal(struct saved_workflows *saved, const char *id, const json_t *document)
{
    json_t *secrets = saved_read_secrets(saved, id), *copy = json_deep_copy(document);
    url_secrets_reveal(copy, secrets);
    json_decref(secrets);
    return copy;
}

/* ---- reading ---- */

static json_t *describe_row(const struct store_workflow *row, bool running)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:I, s:I}", "id", row->id, "name",
                     row->name, "description", row->description ? row->description : "", "version",
                     row->version ? row->version : "", "node_count", row->node_count, "edge_count",
                     row->edge_count, "running", running, "saved", true, "created_at",
                     (json_int_t)row->created_s, "updated_at", (json_int_t)row->updated_s);
}

struct listing {
    struct saved_workflows *saved;
    json_t *rows, *running; /* running: ids that were not seen among the rows yet */
};

static void forget_id(json_t *ids, const char *id)
{
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
            json_array_remove(ids, i);
}

static int add_row(void *context, const struct store_workflow *row)
{
    struct listing *listing = context;
    bool running = runtime_is_running(listing->saved->runtime, row->id);
    json_array_append_new(listing->rows, describe_row(row, running));
    forget_id(listing->running, row->id);
    return OW_OK;
}

/* One that was started without being kept, as from the command line. */
static json_t *describe_running(struct saved_workflows *saved, const char *id)
{
    json_t *document = runtime_document(saved->runtime, id);
    if (!document)
        return NULL;
    const char *name = json_string_value(json_object_get(document, "name"));
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:I, s:I}", "id", id, "name",
                  name ? name : id, "description", "", "version", "", "node_count",
                  (json_int_t)json_array_size(json_object_get(document, "nodes")), "edge_count",
                  (json_int_t)json_array_size(json_object_get(document, "edges")), "running", true,
                  "saved", false, "created_at", (json_int_t)0, "updated_at", (json_int_t)0);
    json_decref(document);
    return out;
}

json_t *saved_list(struct saved_workflows *saved)
{
    json_t *status = runtime_status(saved->runtime);
    struct listing listing = {
        .saved = saved, .rows = json_array(), .running = json_object_get(status, "workflow_ids")};
    (void)store_workflow_list(saved->store, add_row, &listing);
    for (size_t i = 0; i < json_array_size(listing.running); i++) {
        json_t *row =
            describe_running(saved, json_string_value(json_array_get(listing.running, i)));
        if (row)
            json_array_insert_new(listing.rows, 0, row);
    }
    json_decref(status);
    return json_pack("{s:I, s:o}", "total", (json_int_t)json_array_size(listing.rows), "workflows",
                     listing.rows);
}

static void add_state(json_t *document, const struct store_workflow *row, bool running)
{
    json_object_set_new(document, "created_at", json_integer((json_int_t)row->created_s));
    json_object_set_new(document, "updated_at", json_integer((json_int_t)row->updated_s));
    json_object_set_new(document, "running", json_boolean(running));
    json_object_set_new(document, "saved", json_boolean(row->id != NULL));
}

int saved_read(struct saved_workflows *saved, const char *id, json_t **out,
               char tag[ENTITY_TAG_BYTES])
{
    struct store_workflow row = {0};
    json_t *document = NULL;
    int rc = store_workflow_get(saved->store, id, &document, &row);
    if (tag)
        tag[0] = '\0';
    if (tag && rc == OW_OK)
        entity_tag_of(document, tag);
    if (rc == OW_ENOTFOUND) {
        json_t *secrets = json_object();
        document = runtime_document(saved->runtime, id);
        url_secrets_hide(document, secrets); /* nothing of them is kept: it lives in memory only */
        json_decref(secrets);
        rc = document ? OW_OK : OW_ENOTFOUND;
    }
    if (rc == OW_OK) {
        add_state(document, &row, runtime_is_running(saved->runtime, id));
        *out = document;
    }
    store_workflow_clear(&row);
    return rc;
}

/* ---- checking ---- */

/* Ids stand in paths and log lines. */
static bool is_usable_id(const char *id)
{
    size_t size = strlen(id);
    if (size == 0 || size >= SAVED_ID_BYTES || id[0] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f || strchr("/\\?#%", id[i]))
            return false;
    return true;
}

static void make_id(struct saved_workflows *saved, char id[SAVED_ID_BYTES])
{
    struct random_source random;
    struct store_workflow row;
    random_system(&random);
    json_t *document = NULL;
    int rc;
    do {
        snprintf(id, SAVED_ID_BYTES, "workflow-%08" PRIx32, random_u32(&random));
        rc = store_workflow_get(saved->store, id, &document, &row);
        if (rc == OW_OK) {
            json_decref(document);
            store_workflow_clear(&row);
        }
    } while (rc == OW_OK);
}

/* Fills in what a page or an old file leaves out; removes what only answers have. */
static void complete(json_t *document, const char *id)
{
    static const char *const of_answers[] = {"created_at", "updated_at", "running", "saved"};
    for (size_t i = 0; i < sizeof of_answers / sizeof of_answers[0]; i++)
        json_object_del(document, of_answers[i]);
    const char *name = json_string_value(json_object_get(document, "name"));
    json_object_set_new(document, "id", json_string(id));
    if (!name || !name[0])
        json_object_set_new(document, "name", json_string("Untitled workflow"));
    if (!json_object_get(document, "version"))
        json_object_set_new(document, "version", json_string("1.0"));
    if (!json_object_get(document, "edges"))
        json_object_set_new(document, "edges", json_array());
}

/* OW_EPARSE when it has errors, unless it is a draft of the right shape. */
static int validate(json_t *document, bool draft, struct saved_result *result)
{
    struct graph *graph = NULL;
    int rc = graph_parse(&graph, document, &result->report);
    graph_destroy(&graph);
    if (rc == OW_EPARSE && draft && json_is_array(json_object_get(document, "nodes")) &&
        json_is_array(json_object_get(document, "edges")))
        return OW_OK;
    return rc < 0 ? reason_set(&result->why, rc, "the workflow is not valid") : rc;
}

static bool has_errors(const struct saved_result *result)
{
    return json_array_size(json_object_get(result->report, "errors")) > 0;
}

/* ---- changing; all under the lock ---- */

int saved_keep(struct saved_workflows *saved, const char *id, const json_t *document,
               struct saved_result *result,
               int (*write)(struct store *store, const char *id, const json_t *document,
                            const json_t *secrets))
{
    json_t *secrets = NULL, *copy = json_deep_copy(document);
    int rc = copy ? store_workflow_secrets(saved->store, id, &secrets) : OW_ENOMEM;
    if (rc == OW_OK) {
        url_secrets_hide(copy, secrets);
        rc = write(saved->store, id, copy, secrets);
    }
    if (rc == OW_OK) {
        entity_tag_of(copy, result->tag);
        json_decref(result->workflow);
        result->workflow = json_incref(copy);
    }
    json_decref(secrets);
    json_decref(copy);
    return rc;
}

int saved_store_failed(struct saved_result *result, int rc)
{
    switch (rc) {
    case OW_OK:
        return rc;
    case OW_ENOTFOUND:
        return reason_set(&result->why, rc, "There is no workflow with this id.");
    case OW_EEXISTS:
        return reason_set(&result->why, rc,
                          "A workflow with this id is there already: save it under another one.");
    case OW_ELIMIT:
        return reason_set(&result->why, rc, "There are too many workflows: delete some.");
    case OW_ETOOLARGE:
        return reason_set(&result->why, rc, "The workflow is too large: at most %d kB are kept.",
                          STORE_MAX_DOCUMENT_BYTES / 1024);
    default:
        return reason_set(&result->why, rc, "The workflow could not be saved: %s.", error_text(rc));
    }
}

static int choose_id(struct saved_workflows *saved, const json_t *document, bool fresh_id,
                     char out[SAVED_ID_BYTES], struct saved_result *result)
{
    const json_t *given = json_object_get(document, "id");
    const char *id = json_string_value(given);
    struct store_workflow row = {0};
    json_t *taken = NULL;
    if (!given || json_is_null(given) || (id && !id[0])) {
        make_id(saved, out);
        return OW_OK;
    }
    if (!id || strlen(id) != json_string_length(given) || !is_usable_id(id))
        return reason_set(&result->why, OW_EINVAL,
                          "The workflow's id must be a text of 1 to %d characters without / \\ ? # "
                          "and %%.",
                          SAVED_ID_BYTES - 1);
    snprintf(out, SAVED_ID_BYTES, "%s", id);
    if (fresh_id && store_workflow_get(saved->store, id, &taken, &row) == OW_OK)
        make_id(saved, out);
    json_decref(taken);
    store_workflow_clear(&row);
    return OW_OK;
}

static int add(struct saved_workflows *saved, json_t *document, bool draft, bool fresh_id,
               struct saved_result *result)
{
    char id[SAVED_ID_BYTES];
    int rc = choose_id(saved, document, fresh_id, id, result);
    if (rc < 0)
        return rc;
    complete(document, id);
    rc = validate(document, draft, result);
    if (rc < 0)
        return rc;
    rc = saved_keep(saved, id, document, result, store_workflow_add);
    return saved_store_failed(result, rc);
}

/* Makes the running one what the document says; a failure is told, and is none of saving. */
static void apply(struct saved_workflows *saved, json_t *document, struct saved_result *result)
{
    const char *id = json_string_value(json_object_get(document, "id"));
    json_t *revealed = reveal(saved, id, document), *report = NULL;
    int rc = runtime_apply(saved->runtime, revealed, RUNTIME_REMOTE, &report, &result->changes,
                           &result->why);
    result->applied = rc == OW_OK;
    json_decref(revealed);
    json_decref(report);
}

/* Is the version that is kept the one that was seen? */
static int check_version(struct saved_workflows *saved, const char *id, const char *if_match,
                         struct saved_result *result)
{
    json_t *kept = NULL;
    if (!if_match[0])
        return OW_OK;
    int rc = store_workflow_get(saved->store, id, &kept, NULL);
    if (rc == OW_OK)
        entity_tag_of(kept, result->tag);
    json_decref(kept);
    if (rc != OW_OK || strcmp(if_match, "*") == 0 || entity_tag_listed(if_match, result->tag))
        return saved_store_failed(result, rc);
    return reason_set(&result->why, OW_ECHANGED,
                      "The workflow has been changed since it was read: nothing was saved. Read it "
                      "again, or save without If-Match to replace what is there.");
}

static int replace(struct saved_workflows *saved, const char *id, json_t *document, bool draft,
                   const char *if_match, struct saved_result *result)
{
    int rc = check_version(saved, id, if_match, result);
    if (rc < 0)
        return rc;
    complete(document, id);
    rc = validate(document, draft, result);
    if (rc < 0)
        return rc;
    rc = saved_keep(saved, id, document, result, store_workflow_set);
    if (rc == OW_OK && runtime_is_running(saved->runtime, id) && !has_errors(result))
        apply(saved, result->workflow, result);
    return saved_store_failed(result, rc);
}

int saved_add(struct saved_workflows *saved, json_t *document, bool draft, bool fresh_id,
              struct saved_result *result)
{
    pthread_mutex_lock(&saved->change);
    int rc = add(saved, document, draft, fresh_id, result);
    pthread_mutex_unlock(&saved->change);
    return rc;
}

int saved_replace(struct saved_workflows *saved, const char *id, json_t *document, bool draft,
                  const char *if_match, struct saved_result *result)
{
    pthread_mutex_lock(&saved->change);
    int rc = replace(saved, id, document, draft, if_match, result);
    pthread_mutex_unlock(&saved->change);
    return rc;
}

/* ---- running ---- */

static int execute(struct saved_workflows *saved, const char *id, struct saved_result *result)
{
    struct store_workflow row = {0};
    json_t *kept = NULL;
    int rc = store_workflow_get(saved->store, id, &kept, &row);
    store_workflow_clear(&row);
    if (rc < 0)
        return saved_store_failed(result, rc);
    json_decref(result->report);
    result->report = NULL;
    json_t *revealed = reveal(saved, id, kept);
    rc = runtime_apply(saved->runtime, revealed, RUNTIME_REMOTE, &result->report, &result->changes,
                       &result->why);
    if (rc == OW_OK) {
        result->applied = true;
        rc = saved_store_failed(result, store_workflow_set_running(saved->store, id, true));
    }
    json_decref(revealed);
    json_decref(result->workflow);
    result->workflow = kept;
    return rc;
}

int saved_execute(struct saved_workflows *saved, const char *id, struct saved_result *result)
{
    pthread_mutex_lock(&saved->change);
    int rc = execute(saved, id, result);
    pthread_mutex_unlock(&saved->change);
    return rc;
}

int saved_deploy(struct saved_workflows *saved, const char *id, json_t *document,
                 struct saved_result *result)
{
    if (!is_usable_id(id))
        return reason_set(&result->why, OW_EINVAL, "The workflow's id cannot be used.");
    pthread_mutex_lock(&saved->change);
    complete(document, id);
    int rc = validate(document, false, result);
    if (rc == OW_OK) {
        rc = saved_keep(saved, id, document, result, store_workflow_set);
        if (rc == OW_ENOTFOUND)
            rc = saved_keep(saved, id, document, result, store_workflow_add);
        rc = rc == OW_OK ? execute(saved, id, result) : saved_store_failed(result, rc);
    }
    pthread_mutex_unlock(&saved->change);
    return rc;
}

int saved_preview(struct saved_workflows *saved, const char *id, json_t *document,
                  struct saved_result *result)
{
    struct store_workflow row = {0};
    json_t *kept = NULL;
    int rc = store_workflow_get(saved->store, id, &kept, &row);
    store_workflow_clear(&row);
    if (!document && rc < 0)
        return saved_store_failed(result, rc);
    json_t *wanted = document ? document : kept;
    complete(wanted, id);
    json_t *revealed = reveal(saved, id, wanted);
    rc = runtime_preview(saved->runtime, revealed, RUNTIME_REMOTE, &result->report,
                         &result->changes);
    json_decref(revealed);
    json_decref(kept);
    return rc == OW_ENOMEM ? rc : OW_OK; /* what is not valid stands in the report */
}

int saved_stop(struct saved_workflows *saved, const char *id)
{
    pthread_mutex_lock(&saved->change);
    int rc = runtime_stop(saved->runtime, id);
    (void)store_workflow_set_running(saved->store, id, false);
    pthread_mutex_unlock(&saved->change);
    return rc;
}

static int collect_running(void *context, const struct store_workflow *row)
{
    json_t *ids = context;
    if (row->running)
        json_array_append_new(ids, json_string(row->id));
    return OW_OK;
}

/* The ids of the rows that are marked as running. */
static json_t *marked_running(struct saved_workflows *saved)
{
    json_t *ids = json_array();
    (void)store_workflow_list(saved->store, collect_running, ids);
    return ids;
}

void saved_stop_all(struct saved_workflows *saved)
{
    size_t i;
    json_t *id;
    pthread_mutex_lock(&saved->change);
    runtime_stop_all(saved->runtime);
    json_t *ids = marked_running(saved);
    json_array_foreach(ids, i, id)(void)
        store_workflow_set_running(saved->store, json_string_value(id), false);
    pthread_mutex_unlock(&saved->change);
    json_decref(ids);
}

int saved_remove(struct saved_workflows *saved, const char *id)
{
    pthread_mutex_lock(&saved->change);
    int stopped = runtime_stop(saved->runtime, id);
    int rc = store_workflow_remove(saved->store, id);
    pthread_mutex_unlock(&saved->change);
    return rc == OW_ENOTFOUND && stopped == OW_OK ? OW_OK : rc;
}

void saved_resume(struct saved_workflows *saved)
{
    size_t i;
    json_t *id;
    json_t *ids = marked_running(saved);
    json_array_foreach(ids, i, id)
    {
        struct saved_result result = {0};
        if (saved_execute(saved, json_string_value(id), &result) < 0)
            log_warn("workflow %s was running and could not be started again: %s",
                     json_string_value(id), result.why.text);
        saved_result_clear(&result);
    }
    json_decref(ids);
}

int saved_add_example(struct saved_workflows *saved, json_t *document, struct reason *why)
{
    char *added = NULL;
    bool first = store_workflow_count(saved->store) == 0 &&
                 store_setting_get(saved->store, EXAMPLE_KEY, &added) != OW_OK;
    free(added);
    if (!first)
        return OW_OK;
    struct saved_result result = {0};
    int rc = saved_add(saved, document, false, true, &result);
    const char *id = json_string_value(json_object_get(result.workflow, "id"));
    char kept[SAVED_ID_BYTES];
    snprintf(kept, sizeof kept, "%s", id ? id : "");
    if (rc == OW_OK)
        rc = store_setting_set(saved->store, EXAMPLE_KEY, "1");
    if (rc == OW_OK) {
        saved_result_clear(&result);
        rc = saved_execute(saved, kept, &result);
    }
    if (rc < 0)
        reason_set(why, rc, "the example workflow: %s",
                   result.why.text[0] ? result.why.text : error_text(rc));
    saved_result_clear(&result);
    return rc;
}
