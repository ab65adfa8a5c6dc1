#include "vision/model_recognise.h"

#include "core/log.h"
#include "vision/model_names.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIDE_DEFAULT = 640 };

/* Up to two whole numbers out of "[416, 416]" or "640"; how many there were. */
static int read_sides(const char *text, int sides[2])
{
    int count = 0;
    while (*text != '\0' && count < 2) {
        if (!isdigit((unsigned char)*text)) {
            text++;
            continue;
        }
        char *end = NULL;
        long value = strtol(text, &end, 10);
        sides[count++] = value > INT_MAX ? INT_MAX : (int)value;
        text = end;
    }
    return count;
}

/* Height and width for sides that the file leaves open: the sidecar's, the metadata's, or 640. */
static void read_sizes(const struct ort_session *session, const struct model_sidecar *sidecar,
                       int sizes[2])
{
    sizes[0] = sizes[1] = SIDE_DEFAULT;
    char *text = ort_session_metadata(session, "imgsz");
    if (text != NULL && read_sides(text, sizes) == 1)
        sizes[1] = sizes[0];
    free(text);
    if (sidecar->width > 0) {
        sizes[0] = sidecar->height;
        sizes[1] = sidecar->width;
    }
}

static int not_understood(const struct ort_session_info *io, const char *task,
                          const struct model_sidecar *sidecar, struct reason *why)
{
    char inputs[64];
    char outputs[112];
    char decoder[64] = "set `decoder` in a file NAME.json beside it (docs/models.md)";
    if (sidecar->decoder[0])
        snprintf(decoder, sizeof decoder, "it does not fit the decoder %.32s", sidecar->decoder);
    return reason_set(why, OW_EUNSUPPORTED,
                      "the model is not understood: inputs %s; outputs %s%s%.16s; %s",
                      ort_session_describe(io->inputs, io->input_count, inputs, sizeof inputs),
                      ort_session_describe(io->outputs, io->output_count, outputs, sizeof outputs),
                      task != NULL ? "; task " : "", task != NULL ? task : "", decoder);
}

/* The names of the sidecar or the metadata; none, and a word in the log, where they cannot be read.
 */
static int read_names(struct model_nature *nature, const struct ort_session *session,
                      const struct model_sidecar *sidecar, const char *path)
{
    if (sidecar->labels != NULL) {
        nature->labels = label_set_ref(sidecar->labels);
        return OW_OK;
    }
    char *text = ort_session_metadata(session, "names");
    int result = text != NULL ? model_names_parse(&nature->labels, text) : OW_EPARSE;
    if (result == OW_EPARSE || result == OW_ELIMIT) {
        if (text != NULL)
            log_warn("model %s: its class names cannot be read (%s)", path, error_text(result));
        result = model_names_numbered(&nature->labels, 0);
    }
    free(text);
    return result;
}

/* Names by number for a model that has none itself. */
static int complete_names(struct model_nature *nature)
{
    if (nature->labels->count > 0 || nature->layout.class_count == 0)
        return OW_OK;
    label_set_unref(&nature->labels);
    return nature->layout.only_class != NULL
               ? label_set_create(&nature->labels, &nature->layout.only_class, 1)
               : model_names_numbered(&nature->labels, nature->layout.class_count);
}

/* Values of whole numbers are 0..255 (int8: less 128) unless a family or the sidecar says else. */
static struct picture_format format_of(enum tensor_type type)
{
    struct picture_format format = picture_format_default;
    if (type != TENSOR_FLOAT32 && type != TENSOR_FLOAT16)
        for (int c = 0; c < 3; c++)
            format.std[c] = 1.0F / 255.0F;
    return format;
}

static void find_family(struct model_nature *nature, struct model_traits *traits,
                        const struct model_sidecar *sidecar)
{
    const char *wanted = sidecar->decoder[0] ? sidecar->decoder : NULL;
    traits->chosen = wanted != NULL;
    nature->format = format_of(nature->input.type);
    nature->family = model_family_find(traits, wanted, &nature->layout, &nature->format);
}

static int probe(struct model_nature *nature, struct ort_session *session,
                 struct model_traits *traits, const struct model_sidecar *sidecar,
                 struct reason *why)
{
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    int pictures = 1;
    model_input_draw_test(&nature->input);
    int result = model_input_run(&nature->input, session, 1, outputs, &pictures, why);
    for (int i = 0; i < traits->io->output_count && result == OW_OK; i++)
        if (!tensor_view_of_picture(&outputs[i], pictures, 0, &outputs[i]))
            result = reason_set(why, OW_EUNSUPPORTED,
                                "the model takes %d pictures at once and gives no result for each",
                                pictures);
    if (result != OW_OK)
        return result;
    traits->probe = outputs;
    find_family(nature, traits, sidecar);
    traits->probe = NULL;
    return OW_OK;
}

static void read_keypoint_shape(const struct ort_session *session, struct model_traits *traits)
{
    int sides[2] = {0, 0};
    char *text = ort_session_metadata(session, "kpt_shape");
    if (text != NULL && read_sides(text, sides) == 2) {
        traits->keypoints = sides[0];
        traits->keypoint_values = sides[1];
    }
    free(text);
}

/* What the model gives for one picture, whatever its fixed batch. */
static struct ort_session_info of_one_picture(const struct ort_session_info *io, int batch_fixed)
{
    struct ort_session_info one = *io;
    for (int i = 0; i < io->output_count; i++)
        if (batch_fixed > 1 && io->outputs[i].dims[0] == batch_fixed)
            one.outputs[i].dims[0] = 1;
    return one;
}

static int find_nature(struct model_nature *nature, struct ort_session *session,
                       const struct model_sidecar *sidecar, const char *task, const char *path,
                       struct reason *why)
{
    const struct ort_session_info *io = ort_session_info(session);
    const struct ort_session_info one = of_one_picture(io, nature->input.batch_fixed);
    char *end_to_end = ort_session_metadata(session, "end2end");
    struct model_traits traits = {
        .io = &one,
        .input_width = nature->input.width,
        .input_height = nature->input.height,
        .task = task,
        .end_to_end = end_to_end != NULL && strcasecmp(end_to_end, "true") == 0,
        .names = nature->labels->count,
    };
    free(end_to_end);
    read_keypoint_shape(session, &traits);
    find_family(nature, &traits, sidecar);
    int result = nature->family != NULL ? OW_OK : probe(nature, session, &traits, sidecar, why);
    if (result == OW_OK && nature->family == NULL)
        result = not_understood(io, task, sidecar, why);
    if (result == OW_OK)
        result = complete_names(nature);
    if (result != OW_OK)
        return result;
    nature->layout.input_width = nature->input.width;
    nature->layout.input_height = nature->input.height;
    model_sidecar_apply(sidecar, &nature->format, &nature->layout);
    if (nature->layout.assumed != NULL)
        log_warn("model %s: %s", path, nature->layout.assumed);
    if (nature->input.type == TENSOR_INT8)
        for (int c = 0; c < 3; c++)
            nature->format.mean[c] += 128.0F * nature->format.std[c];
    return OW_OK;
}

int model_recognise(struct model_nature *out, struct ort_session *session,
                    const struct model_sidecar *sidecar, const char *path, struct reason *why)
{
    struct model_nature nature = {0};
    struct reason detail = {""};
    int sizes[2];
    const struct ort_session_info *io = ort_session_info(session);
    char *task = ort_session_metadata(session, "task");
    read_sizes(session, sidecar, sizes);
    int result = model_input_inspect(&nature.input, io, sizes, &detail);
    if (result == OW_EUNSUPPORTED && detail.text[0] == '\0')
        result = not_understood(io, task, sidecar, &detail);
    if (result == OW_OK)
        result = model_input_reserve(&nature.input, 1);
    if (result == OW_OK)
        result = read_names(&nature, session, sidecar, path);
    if (result == OW_OK)
        result = find_nature(&nature, session, sidecar, task, path, &detail);
    free(task);
    if (result == OW_OK)
        *out = nature;
    else
        model_nature_clear(&nature);
    return result == OW_OK
               ? OW_OK
               : reason_set(why, result, "%s", detail.text[0] ? detail.text : error_text(result));
}

void model_nature_clear(struct model_nature *nature)
{
    model_input_free(&nature->input);
    label_set_unref(&nature->labels);
}
