#include "vision/onnxruntime.h"

#include "core/log.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* Upstream's name first. Debian's carries the minor version too, which is the API version. */
#define NAME_OF(version) "libonnxruntime.so.1." #version
#define NAME_WITH(version) NAME_OF(version)
static const char library_name[] = "libonnxruntime.so.1";
static const char *const system_names[] = {library_name, NAME_WITH(ORT_API_VERSION)};

/* Per process, because the library itself is: one environment with its own threads and logger. */
static struct onnxruntime loaded;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* OVERWATCH_ONNXRUNTIME as a file; false when it is not set. */
static bool path_from_environment(char path[PATH_BYTES])
{
    const char *value = getenv("OVERWATCH_ONNXRUNTIME");
    if (value == NULL || value[0] == '\0')
        return false;
    int length = is_folder(value) ? snprintf(path, PATH_BYTES, "%s/%s", value, library_name)
                                  : snprintf(path, PATH_BYTES, "%s", value);
    return length > 0 && length < PATH_BYTES;
}

static bool path_beside_executable(char path[PATH_BYTES])
{
    char self[PATH_BYTES - 64];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    snprintf(path, PATH_BYTES, "%s/../lib/%s", self, library_name);
    return access(path, R_OK) == 0;
}

/* The library's handle and, in `path`, what was opened; NULL with the reason. */
static void *open_library(char path[PATH_BYTES], struct reason *why)
{
    if (path_from_environment(path)) {
        void *named = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (named == NULL)
            reason_set(why, OW_ENOTFOUND, "OVERWATCH_ONNXRUNTIME does not name a usable %s: %s",
                       library_name, dlerror());
        return named; /* the user's word is not second-guessed by looking elsewhere */
    }
    void *handle = NULL;
    if (path_beside_executable(path))
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; handle == NULL && i < sizeof system_names / sizeof *system_names; i++) {
        snprintf(path, PATH_BYTES, "%s", system_names[i]);
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL)
        reason_set(why, OW_ENOTFOUND,
                   "ONNX Runtime (%s) is not installed, so no model can run; install "
                   "libonnxruntime or set OVERWATCH_ONNXRUNTIME to the library's path",
                   library_name);
    return handle;
}

static int make_environment(const OrtApiBase *base, const char *path, struct onnxruntime *out,
                            struct reason *why)
{
    const OrtApi *api = base->GetApi(ORT_API_VERSION);
    if (api == NULL)
        return reason_set(why, OW_EUNSUPPORTED, "ONNX Runtime %s (%s) is too old: API %d is needed",
                          base->GetVersionString(), path, ORT_API_VERSION);
    OrtEnv *env = NULL;
    /* Failures come back as statuses; the library's own lines on stderr would only repeat them. */
    OrtStatus *status = api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "overwatch", &env);
    if (status != NULL) {
        reason_set(why, OW_ESTATE, "ONNX Runtime does not start: %s", api->GetErrorMessage(status));
        api->ReleaseStatus(status);
        return OW_ESTATE;
    }
    log_info("ONNX Runtime %s loaded from %s", base->GetVersionString(), path);
    out->api = api;
    out->env = env;
    return OW_OK;
}

static int load(struct onnxruntime *out, struct reason *why)
{
    char path[PATH_BYTES];
    void *handle = open_library(path, why);
    if (handle == NULL)
        return OW_ENOTFOUND;
    const OrtApiBase *(*get_api_base)(void) = NULL;
    void *symbol = dlsym(handle, "OrtGetApiBase");
    memcpy(&get_api_base, &symbol, sizeof get_api_base); /* ISO C has no such cast */
    if (symbol == NULL) {
        dlclose(handle);
        return reason_set(why, OW_EUNSUPPORTED, "%s is not ONNX Runtime: it has no OrtGetApiBase",
                          path);
    }
    return make_environment(get_api_base(), path, out, why);
}

int onnxruntime_get(const struct onnxruntime **out, struct reason *why)
{
    pthread_mutex_lock(&loading);
    int result = loaded.api != NULL ? OW_OK : load(&loaded, why);
    pthread_mutex_unlock(&loading);
    if (result == OW_OK)
        *out = &loaded;
    return result;
}
