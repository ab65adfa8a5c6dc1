#include "xray/parts.h"

struct parts parts_of(const struct xray_style *style, enum xray_mode mode)
{
    float fill = style->show_masks ? style->overlay_alpha : 0;
    const struct parts all = {.objects = true,
                              .boxes = true,
                              .contours = style->show_contours,
                              .fill = fill,
                              .points = true,
                              .bones = true};
    struct parts parts = {.objects = true};
    switch (mode) {
    case XRAY_BOXES:
    case XRAY_QUAD:
        return all;
    case XRAY_SCHEMATIC:
        parts = all;
        parts.ground = true;
        break;
    case XRAY_HEATMAP:
        parts = (struct parts){.heat = true};
        break;
    case XRAY_BOXES_HEATMAP:
        parts = all;
        parts.heat = true;
        break;
    case XRAY_MASKS:
        parts.masks = true;
        parts.fill = fill;
        parts.contours = style->show_contours;
        break;
    case XRAY_MASKS_CONTOUR:
        parts.masks = true;
        parts.contours = true;
        break;
    case XRAY_MASKS_SOLID:
        parts.masks = true;
        parts.fill = 1;
        break;
    case XRAY_MASKS_SCHEMATIC:
        parts.masks = true;
        parts.ground = true;
        parts.fill = fill;
        parts.contours = true;
        break;
    case XRAY_MASKS_HEATMAP:
        parts.masks = true;
        parts.heat = true;
        parts.contours = style->show_contours;
        break;
    case XRAY_POSE_SKELETON:
        parts.points = parts.bones = true;
        break;
    case XRAY_POSE_KEYPOINTS:
        parts.points = true;
        break;
    }
    return parts;
}
