#include "vision/session.h"

#include "core/log.h"
#include "vision/onnxruntime.h"
#include "vision/provider.h"
#include "vision/session_stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct ort_session {
    const struct onnxruntime *runtime;
    OrtSession *handle;
    OrtMemoryInfo *memory;
    const struct provider *provider;
    struct ort_session_info info;
    struct session_runs runs;
    OrtValue *outputs[SESSION_MAX_TENSORS]; /* of the last run */
    float *floats[SESSION_MAX_TENSORS];     /* their values, where they are of another type */
    size_t floats_room[SESSION_MAX_TENSORS];
};

/* Turns a status into a code and a sentence, and releases it. */
static int check(const struct onnxruntime *runtime, OrtStatus *status, int code,
                 const char *doing_what, struct reason *why)
{
    if (status == NULL)
        return OW_OK;
    reason_set(why, code, "%s: %s", doing_what, runtime->api->GetErrorMessage(status));
    runtime->api->ReleaseStatus(status);
    return code;
}

static int check_file(const char *path, struct reason *why)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return reason_set(why, OW_ENOTFOUND, "the model file %s is not there", path);
    if (!S_ISREG(status.st_mode))
        return reason_set(why, OW_EINVAL, "the model %s is not a file", path);
    if (status.st_size == 0)
        return reason_set(why, OW_EPARSE, "the model file %s is empty", path);
    return OW_OK;
}

static int set_options(const struct onnxruntime *runtime, OrtSessionOptions *options, int threads,
                       struct reason *why)
{
    const OrtApi *api = runtime->api;
    static const char doing[] = "ONNX Runtime refuses an option";
    int result = check(runtime, api->SetIntraOpNumThreads(options, threads), OW_EINVAL, doing, why);
    if (result == OW_OK)
        result = check(runtime, api->SetInterOpNumThreads(options, 1), OW_EINVAL, doing, why);
    if (result == OW_OK)
        result = check(runtime, api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL),
                       OW_EINVAL, doing, why);
    /* Waiting threads sleep: spinning ones would take the cores that encode and send. */
    if (result == OW_OK)
        result = check(runtime,
                       api->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"),
                       OW_EINVAL, doing, why);
    return result;
}

static int create_handle(struct ort_session *session, const char *path, int threads,
                         const struct provider *provider, struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    OrtSessionOptions *options = NULL;
    int result = check(runtime, runtime->api->CreateSessionOptions(&options), OW_ENOMEM,
                       "ONNX Runtime gives no session options", why);
    if (result == OW_OK)
        result = set_options(runtime, options, threads, why);
    if (result == OW_OK)
        result = check(runtime, provider->append(runtime->api, options), OW_EUNSUPPORTED,
                       provider->label, why);
    if (result == OW_OK)
        return session_make(runtime, path, options, &session->handle, why);
    if (options != NULL)
        runtime->api->ReleaseSessionOptions(options);
    return result;
}

/* The first provider of the list that really makes a session; the CPU, its last, decides. */
static int create_on(struct ort_session *session, const char *path, int threads, const char *list,
                     struct reason *why)
{
    const struct provider *providers[PROVIDERS_MAX + 1];
    int result = provider_list(providers, list, why);
    for (int i = 0; result == OW_OK && providers[i] != NULL; i++) {
        struct reason detail = {"the library was built without it"};
        session->provider = providers[i];
        int made = provider_is_built_in(session->runtime, providers[i])
                       ? create_handle(session, path, threads, providers[i], &detail)
                       : OW_EUNSUPPORTED;
        if (made == OW_OK)
            return OW_OK;
        if (providers[i + 1] == NULL || made == OW_ECLOSED)
            return reason_set(why, made, "%s", detail.text);
        log_info("model %s: execution provider %s passed over: %s", path, providers[i]->label,
                 detail.text);
    }
    return result;
}

static enum tensor_type type_of(enum ONNXTensorElementDataType element)
{
    switch (element) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
        return TENSOR_FLOAT32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
        return TENSOR_FLOAT16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
        return TENSOR_UINT8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
        return TENSOR_INT8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
        return TENSOR_INT32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
        return TENSOR_INT64;
    default:
        return TENSOR_OTHER;
    }
}

static enum ONNXTensorElementDataType element_of(enum tensor_type type)
{
    static const enum ONNXTensorElementDataType elements[] = {
        [TENSOR_OTHER] = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
        [TENSOR_FLOAT32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
        [TENSOR_FLOAT16] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
        [TENSOR_UINT8] = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
        [TENSOR_INT8] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
        [TENSOR_INT32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
        [TENSOR_INT64] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
    };
    return elements[type];
}

/* Element type and dimensions; what is no tensor is left at rank -1. */
static int read_type(const struct onnxruntime *runtime, OrtTypeInfo *type, struct tensor_info *out,
                     struct reason *why)
{
    const OrtApi *api = runtime->api;
    static const char doing[] = "the model's inputs and outputs cannot be read";
    const OrtTensorTypeAndShapeInfo *shape = NULL;
    enum ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t rank = 0;
    out->rank = -1;
    int result = check(runtime, api->CastTypeInfoToTensorInfo(type, &shape), OW_EPARSE, doing, why);
    if (result != OW_OK || shape == NULL)
        return result;
    result = check(runtime, api->GetTensorElementType(shape, &element), OW_EPARSE, doing, why);
    if (result == OW_OK)
        result = check(runtime, api->GetDimensionsCount(shape, &rank), OW_EPARSE, doing, why);
    if (result != OW_OK || rank > TENSOR_MAX_RANK)
        return result;
    result = check(runtime, api->GetDimensions(shape, out->dims, rank), OW_EPARSE, doing, why);
    if (result == OW_OK) {
        out->rank = (int)rank;
        out->type = type_of(element);
    }
    return result;
}

static int read_tensor(struct ort_session *session, bool is_input, size_t index,
                       struct tensor_info *out, struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    static const char doing[] = "the model's inputs and outputs cannot be read";
    OrtAllocator *allocator = NULL;
    OrtTypeInfo *type = NULL;
    char *name = NULL;
    int result =
        check(runtime, api->GetAllocatorWithDefaultOptions(&allocator), OW_EIO, doing, why);
    if (result != OW_OK)
        return result;
    result = check(runtime,
                   is_input ? api->SessionGetInputName(session->handle, index, allocator, &name)
                            : api->SessionGetOutputName(session->handle, index, allocator, &name),
                   OW_EPARSE, doing, why);
    if (result != OW_OK)
        return result;
    if (strlen(name) >= sizeof out->name)
        result = reason_set(why, OW_EUNSUPPORTED, "the model has a tensor with a name of %zu bytes",
                            strlen(name));
    else
        memcpy(out->name, name, strlen(name) + 1);
    check(runtime, api->AllocatorFree(allocator, name), OW_EIO, doing, NULL);
    if (result == OW_OK)
        result = check(runtime,
                       is_input ? api->SessionGetInputTypeInfo(session->handle, index, &type)
                                : api->SessionGetOutputTypeInfo(session->handle, index, &type),
                       OW_EPARSE, doing, why);
    if (result == OW_OK) {
        result = read_type(runtime, type, out, why);
        api->ReleaseTypeInfo(type);
    }
    return result;
}

static int read_info(struct ort_session *session, struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    static const char doing[] = "the model's inputs and outputs cannot be counted";
    size_t inputs = 0;
    size_t outputs = 0;
    int result = check(runtime, runtime->api->SessionGetInputCount(session->handle, &inputs),
                       OW_EPARSE, doing, why);
    if (result == OW_OK)
        result = check(runtime, runtime->api->SessionGetOutputCount(session->handle, &outputs),
                       OW_EPARSE, doing, why);
    if (result != OW_OK)
        return result;
    if (inputs > SESSION_MAX_TENSORS || outputs > SESSION_MAX_TENSORS)
        return reason_set(why, OW_EUNSUPPORTED,
                          "the model has %zu inputs and %zu outputs, more than %d", inputs, outputs,
                          SESSION_MAX_TENSORS);
    for (size_t i = 0; i < inputs && result == OW_OK; i++)
        result = read_tensor(session, true, i, &session->info.inputs[i], why);
    for (size_t i = 0; i < outputs && result == OW_OK; i++)
        result = read_tensor(session, false, i, &session->info.outputs[i], why);
    session->info.input_count = (int)inputs;
    session->info.output_count = (int)outputs;
    return result;
}

int ort_session_open(struct ort_session **out, const char *path, int threads, const char *providers,
                     struct reason *why)
{
    const struct onnxruntime *runtime = NULL;
    int result = check_file(path, why);
    if (result == OW_OK)
        result = onnxruntime_get(&runtime, why);
    if (result != OW_OK)
        return result;
    struct ort_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return reason_set(why, OW_ENOMEM, "out of memory");
    session->runtime = runtime;
    result = create_on(session, path, threads, providers, why);
    if (result == OW_OK)
        result = read_info(session, why);
    if (result == OW_OK)
        result = check(runtime,
                       runtime->api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
                                                         &session->memory),
                       OW_ENOMEM, "ONNX Runtime gives no memory", why);
    if (result == OW_OK)
        result = session_runs_enlist(runtime, &session->runs, why);
    if (result != OW_OK) {
        ort_session_close(&session);
        return result;
    }
    *out = session;
    return OW_OK;
}

const char *ort_session_provider(const struct ort_session *session)
{
    return session->provider->label;
}

const struct ort_session_info *ort_session_info(const struct ort_session *session)
{
    return &session->info;
}

char *ort_session_metadata(const struct ort_session *session, const char *key)
{
    const struct onnxruntime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    OrtAllocator *allocator = NULL;
    OrtModelMetadata *metadata = NULL;
    char *value = NULL;
    char *copy = NULL;
    if (check(runtime, api->GetAllocatorWithDefaultOptions(&allocator), OW_EIO, "", NULL) !=
            OW_OK ||
        check(runtime, api->SessionGetModelMetadata(session->handle, &metadata), OW_EIO, "",
              NULL) != OW_OK)
        return NULL;
    if (check(runtime, api->ModelMetadataLookupCustomMetadataMap(metadata, allocator, key, &value),
              OW_EIO, "", NULL) == OW_OK &&
        value != NULL) {
        copy = strdup(value);
        check(runtime, api->AllocatorFree(allocator, value), OW_EIO, "", NULL);
    }
    api->ReleaseModelMetadata(metadata);
    return copy;
}

static void release_outputs(struct ort_session *session)
{
    for (int i = 0; i < SESSION_MAX_TENSORS; i++) {
        if (session->outputs[i] != NULL)
            session->runtime->api->ReleaseValue(session->outputs[i]);
        session->outputs[i] = NULL;
    }
}

/* Points the view at the values as floats, which are converted where they are of another type. */
static int view_values(struct ort_session *session, int index, enum tensor_type type,
                       struct tensor_view *out, struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    void *values = NULL;
    int result =
        check(runtime, runtime->api->GetTensorMutableData(session->outputs[index], &values), OW_EIO,
              "the model's output cannot be read", why);
    if (result != OW_OK || type == TENSOR_FLOAT32) {
        out->data = values;
        return result;
    }
    if (out->count > session->floats_room[index]) {
        float *grown = realloc(session->floats[index], out->count * sizeof *grown);
        if (grown == NULL)
            return reason_set(why, OW_ENOMEM, "out of memory");
        session->floats[index] = grown;
        session->floats_room[index] = out->count;
    }
    tensor_to_floats(type, values, out->count, session->floats[index]);
    out->data = session->floats[index];
    return OW_OK;
}

/* The view of an output; stays empty where it is of no use or of a rank too high. */
static int view_output(struct ort_session *session, int index, struct tensor_view *out,
                       struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    static const char doing[] = "the model's output cannot be read";
    OrtTensorTypeAndShapeInfo *shape = NULL;
    enum ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t rank = 0;
    int is_tensor = 0;
    memset(out, 0, sizeof *out);
    int result =
        check(runtime, api->IsTensor(session->outputs[index], &is_tensor), OW_EIO, doing, why);
    if (result != OW_OK || !is_tensor)
        return result;
    result = check(runtime, api->GetTensorTypeAndShape(session->outputs[index], &shape), OW_EIO,
                   doing, why);
    if (result != OW_OK)
        return result;
    result = check(runtime, api->GetTensorElementType(shape, &element), OW_EIO, doing, why);
    if (result == OW_OK)
        result = check(runtime, api->GetDimensionsCount(shape, &rank), OW_EIO, doing, why);
    enum tensor_type type = type_of(element);
    if (result != OW_OK || type == TENSOR_OTHER || rank > TENSOR_MAX_RANK)
        goto out;
    result = check(runtime, api->GetDimensions(shape, out->dims, rank), OW_EIO, doing, why);
    if (result == OW_OK)
        result =
            check(runtime, api->GetTensorShapeElementCount(shape, &out->count), OW_EIO, doing, why);
    out->rank = (int)rank;
    if (result == OW_OK && out->count > 0)
        result = view_values(session, index, type, out, why);
out:
    api->ReleaseTensorTypeAndShapeInfo(shape);
    return result;
}

static int make_value(const struct ort_session *session, void *data, enum tensor_type type,
                      const int64_t *dims, size_t rank, OrtValue **out, struct reason *why)
{
    size_t bytes = tensor_type_bytes(type);
    for (size_t i = 0; i < rank; i++)
        bytes *= (size_t)dims[i];
    return check(session->runtime,
                 session->runtime->api->CreateTensorWithDataAsOrtValue(
                     session->memory, data, bytes, dims, rank, element_of(type), out),
                 OW_EIO, "the model's input cannot be made", why);
}

int ort_session_run(struct ort_session *session, void *pictures, const int64_t dims[4],
                    int64_t height, int64_t width, struct tensor_view outputs[SESSION_MAX_TENSORS],
                    struct reason *why)
{
    const struct onnxruntime *runtime = session->runtime;
    const struct ort_session_info *info = &session->info;
    int64_t sizes[SESSION_MAX_PICTURES][2];
    const int64_t size_dims[2] = {dims[0], 2};
    OrtValue *values[2] = {NULL, NULL};
    const char *input_names[2] = {info->inputs[0].name, info->inputs[1].name};
    const char *output_names[SESSION_MAX_TENSORS];
    for (int i = 0; i < info->output_count; i++)
        output_names[i] = info->outputs[i].name;
    for (int64_t i = 0; i < dims[0] && i < SESSION_MAX_PICTURES; i++) {
        sizes[i][0] = width;
        sizes[i][1] = height;
    }
    release_outputs(session);
    if (session_is_stopped())
        return session_say_stopped(why);
    int result = make_value(session, pictures, info->inputs[0].type, dims, 4, &values[0], why);
    if (result == OW_OK && info->input_count > 1)
        result = make_value(session, sizes, TENSOR_INT64, size_dims, 2, &values[1], why);
    if (result == OW_OK)
        result =
            check(runtime,
                  runtime->api->Run(session->handle, session->runs.options, input_names,
                                    (const OrtValue *const *)values, (size_t)info->input_count,
                                    output_names, (size_t)info->output_count, session->outputs),
                  OW_EIO, "the model fails to run", why);
    if (result == OW_EIO && session_is_stopped())
        result = session_say_stopped(why);
    for (int i = 0; i < 2; i++)
        if (values[i] != NULL)
            runtime->api->ReleaseValue(values[i]);
    for (int i = 0; i < info->output_count && result == OW_OK; i++)
        result = view_output(session, i, &outputs[i], why);
    return result;
}

void ort_session_close(struct ort_session **session)
{
    struct ort_session *self = *session;
    if (self == NULL)
        return;
    *session = NULL;
    session_runs_delist(self->runtime, &self->runs);
    release_outputs(self);
    for (int i = 0; i < SESSION_MAX_TENSORS; i++)
        free(self->floats[i]);
    if (self->memory != NULL)
        self->runtime->api->ReleaseMemoryInfo(self->memory);
    if (self->handle != NULL)
        self->runtime->api->ReleaseSession(self->handle);
    free(self);
}

/* Appends, cutting at the end of the buffer. */
static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

const char *ort_session_describe(const struct tensor_info *tensors, int count, char *text,
                                 size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        const struct tensor_info *tensor = &tensors[i];
        append(text, size, "%s%.24s", i == 0 ? "" : ", ", tensor->name);
        if (tensor->rank < 0)
            append(text, size, " [?]");
        for (int k = 0; k < tensor->rank; k++) {
            append(text, size, k == 0 ? " [" : ",");
            if (tensor->dims[k] < 0)
                append(text, size, "?");
            else
                append(text, size, "%" PRId64, tensor->dims[k]);
            append(text, size, k + 1 == tensor->rank ? "]" : "");
        }
        if (tensor->type != TENSOR_FLOAT32)
            append(text, size, " %s", tensor_type_name(tensor->type));
    }
    return text;
}
