/* model: an ONNX detector, and how its X-RAY view is drawn. */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <string.h>

static const struct setting settings[] = {
    {.name = "modelId",
     .label = "Model",
     .type = SETTING_TEXT,
     .help = "an ONNX file or the name of one in the model folder; empty = the default detector"},
    {.name = "modelName",
     .label = "Model name",
     .type = SETTING_TEXT,
     .help = "for people; looked for in the model folder when modelId is empty"},
    {.name = "decoder",
     .label = "Decoder",
     .type = SETTING_CHOICE,
     .default_text = "auto",
     .choices = model_decoder_names,
     .help = "how the model's outputs are read, where it is not recognised by itself"},
    {.name = "confidence",
     .label = "Confidence",
     .type = SETTING_NUMBER,
     .default_number = 0.7,
     .min = 0,
     .max = 1,
     .step = 0.01,
     .help = "detections below are dropped"},
    {.name = "iou",
     .label = "Overlap (IoU)",
     .type = SETTING_NUMBER,
     .default_number = 0.45,
     .min = 0,
     .max = 1,
     .step = 0.01,
     .help = "of two boxes that overlap more than this the weaker one is dropped"},
    {.name = "classes",
     .label = "Classes",
     .type = SETTING_LIST,
     .help = "ids or names of the classes to look for; empty = all"},
    {.name = "fps",
     .label = "Inferences",
     .type = SETTING_NUMBER,
     .default_number = 10,
     .min = 1,
     .max = 30,
     .unit = "fps",
     .help = "at most this many inferences a second"},
    {.name = "maxDetections",
     .label = "Max detections",
     .type = SETTING_INT,
     .default_number = 300,
     .min = 1,
     .max = 3000,
     .help = "the most confident ones are kept"},
    {.name = "agnostic",
     .label = "Class-agnostic",
     .type = SETTING_BOOL,
     .help = "overlapping boxes of different classes suppress each other too"},
    {.name = "enableXRay",
     .label = "🔍 X-RAY Mode",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "draw what the model sees"},
    {.name = "xrayMode",
     .label = "Mode",
     .type = SETTING_CHOICE,
     .default_text = "boxes",
     .choices = xray_mode_names,
     .aliases = xray_mode_aliases,
     .group = "X-RAY",
     .help =
         "boxes; schematic: the objects without the picture; heatmap: where objects have been of "
         "late; quad: four panels; masks and pose modes for models that find such"},
    {.name = "colorScheme",
     .label = "Colours",
     .type = SETTING_CHOICE,
     .default_text = "default",
     .choices = xray_scheme_names,
     .group = "X-RAY",
     .help = "default, class_specific and neon go by class (class_specific: people coral, cars "
             "blue, …), confidence and thermal by how sure the model is"},
    {.name = "customColors",
     .label = "Own colours",
     .type = SETTING_COLORS,
     .group = "X-RAY",
     .help = "class names or ids with colours like #ff8800, for default and class_specific"},
    {.name = "showBoxes",
     .label = "Boxes",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "draw boxes"},
    {.name = "showLabels",
     .label = "Labels",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "write class names"},
    {.name = "showConfidence",
     .label = "Confidence values",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "write confidence values"},
    {.name = "showTrackIds",
     .label = "Track ids",
     .type = SETTING_BOOL,
     .group = "X-RAY",
     .help = "write the number by which an object is followed"},
    {.name = "showTrails",
     .label = "Trails",
     .type = SETTING_BOOL,
     .group = "X-RAY",
     .help = "draw where objects came from, as lines that fade in three seconds"},
    {.name = "showZones",
     .label = "Zones",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "draw the zones of a view, with what they count"},
    {.name = "showLegend",
     .label = "Legend",
     .type = SETTING_BOOL,
     .group = "X-RAY",
     .help =
         "list the classes in sight with their colours and counts, or the scale of colours that "
         "go by confidence or heat"},
    {.name = "showMasks",
     .label = "Masks",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "fill the outlines of objects, where the model finds them"},
    {.name = "showContours",
     .label = "Contours",
     .type = SETTING_BOOL,
     .default_number = 1,
     .group = "X-RAY",
     .help = "draw the outlines of objects, where the model finds them"},
    {.name = "overlayAlpha",
     .label = "Tint",
     .type = SETTING_NUMBER,
     .default_number = 0.5,
     .min = 0,
     .max = 1,
     .step = 0.05,
     .group = "X-RAY",
     .help = "how strong the inside of masks and boxes is coloured"},
    {.name = "heatmapIntensity",
     .label = "Heat map",
     .type = SETTING_NUMBER,
     .default_number = 0.7,
     .min = 0,
     .max = 1,
     .step = 0.05,
     .group = "X-RAY",
     .help = "how strong the heat map covers the picture"},
    {.name = "schematicMode",
     .label = "Schematic",
     .type = SETTING_BOOL,
     .group = "X-RAY",
     .help = "the mode schematic, whatever the mode is"},
    {.name = "lineThickness",
     .label = "Line",
     .type = SETTING_INT,
     .default_number = 2,
     .min = 1,
     .max = 16,
     .unit = "px",
     .group = "X-RAY",
     .help = "thickness of lines, in a view of up to 720 lines; it grows with larger ones"},
    {.name = "fontSize",
     .label = "Font",
     .type = SETTING_NUMBER,
     .default_number = 0.6,
     .min = 0.2,
     .max = 4,
     .step = 0.1,
     .group = "X-RAY",
     .help = "size of labels; 0.6 is 15 px in a picture of 540 lines"},
    {.name = "minConfidenceViz",
     .label = "Show from",
     .type = SETTING_NUMBER,
     .min = 0,
     .max = 1,
     .step = 0.01,
     .group = "X-RAY",
     .help = "objects below this confidence are not drawn"},
    {.name = "xrayMaxFps",
     .label = "Max X-RAY FPS",
     .type = SETTING_NUMBER,
     .default_number = 30,
     .min = 10,
     .max = 60,
     .step = 5,
     .unit = "fps",
     .group = "X-RAY",
     .help = "at most this many pictures a second"},
    {0},
};

static int check_classes(const json_t *classes, struct reason *why)
{
    if (json_array_size(classes) > NODE_MAX_CLASSES)
        return reason_set(why, OW_EINVAL, "classes names more than %d classes", NODE_MAX_CLASSES);
    size_t i;
    json_t *entry;
    json_array_foreach(
        classes, i,
        entry) if (!json_is_integer(entry) &&
                   !json_is_string(
                       entry)) return reason_set(why, OW_EINVAL,
                                                 "classes must hold class ids or names");
    return OW_OK;
}

static int read_colors(const json_t *colors, struct xray_style *style, struct reason *why)
{
    const char *name;
    json_t *color;
    if (json_object_size(colors) > XRAY_CUSTOM_COLORS_MAX)
        return reason_set(why, OW_EINVAL, "customColors has more than %d colours",
                          XRAY_CUSTOM_COLORS_MAX);
    json_object_foreach((json_t *)colors, name, color)
    {
        struct xray_custom_color *custom = &style->custom[style->custom_count++];
        uint8_t rgb[3] = {0};
        if (strlen(name) >= sizeof custom->name)
            return reason_set(why, OW_EINVAL, "customColors names a class too long: \"%.60s\"",
                              name);
        memcpy(custom->name, name, strlen(name) + 1);
        setting_parse_color(json_string_value(color), rgb);
        custom->color = (struct rgb){rgb[0], rgb[1], rgb[2]};
    }
    return OW_OK;
}

static int configure(const json_t *data, struct model_node_settings *out, struct reason *why)
{
    struct model_node_settings s = {
        .thresholds = {.confidence = (float)setting_number(data, settings, "confidence"),
                       .iou = (float)setting_number(data, settings, "iou"),
                       .max_detections = setting_int(data, settings, "maxDetections"),
                       .agnostic = setting_bool(data, settings, "agnostic")},
        .says_confidence = json_object_get(data, "confidence") != NULL,
        .says_iou = json_object_get(data, "iou") != NULL,
        .classes = json_object_get(data, "classes"),
        .max_fps = setting_number(data, settings, "fps"),
        .xray = setting_bool(data, settings, "enableXRay"),
        .style = {.show_boxes = setting_bool(data, settings, "showBoxes"),
                  .show_labels = setting_bool(data, settings, "showLabels"),
                  .show_confidence = setting_bool(data, settings, "showConfidence"),
                  .show_track_ids = setting_bool(data, settings, "showTrackIds"),
                  .show_trails = setting_bool(data, settings, "showTrails"),
                  .show_zones = setting_bool(data, settings, "showZones"),
                  .show_legend = setting_bool(data, settings, "showLegend"),
                  .show_masks = setting_bool(data, settings, "showMasks"),
                  .show_contours = setting_bool(data, settings, "showContours"),
                  .line_thickness = setting_int(data, settings, "lineThickness"),
                  .font_size = (float)setting_number(data, settings, "fontSize"),
                  .min_confidence = (float)setting_number(data, settings, "minConfidenceViz"),
                  .overlay_alpha = (float)setting_number(data, settings, "overlayAlpha"),
                  .heatmap_intensity = (float)setting_number(data, settings, "heatmapIntensity")},
        .xray_max_fps = setting_number(data, settings, "xrayMaxFps"),
    };
    const char *model = setting_text(data, settings, "modelId");
    if (!model[0])
        model = setting_text(data, settings, "modelName");
    if (snprintf(s.model, sizeof s.model, "%s", model) >= (int)sizeof s.model)
        return reason_set(why, OW_EINVAL, "modelId is too long");
    const char *decoder = setting_text(data, settings, "decoder");
    if (strcmp(decoder, "auto") != 0)
        snprintf(s.decoder, sizeof s.decoder, "%s", decoder);
    int rc = check_classes(s.classes, why);
    if (rc == OW_OK)
        rc = read_colors(json_object_get(data, "customColors"), &s.style, why);
    if (rc == OW_OK)
        rc = xray_mode_parse(setting_text(data, settings, "xrayMode"), &s.style.mode);
    if (rc == OW_OK)
        rc = xray_scheme_parse(setting_text(data, settings, "colorScheme"), &s.style.scheme);
    if (setting_bool(data, settings, "schematicMode"))
        s.style.mode = XRAY_SCHEMATIC;
    if (rc == OW_OK)
        *out = s;
    return rc;
}

const struct node_type node_model = {
    .name = "model",
    .label = "AI Model",
    .help = "Finds objects in the picture",
    .role = NODE_MODEL,
    .category = "AI Models",
    .input = "video-input",
    .output = "detections-output",
    .settings = settings,
    .configure_model = configure,
};
