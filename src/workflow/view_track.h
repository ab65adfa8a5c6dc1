/* The encodings of a view: which are due for a picture, at what size and rate, and giving them out.
 * Internal to the view; on its thread. */
#ifndef OW_WORKFLOW_VIEW_TRACK_H
#define OW_WORKFLOW_VIEW_TRACK_H

#include "workflow/view_shot.h"

/* Looks at what was ordered: sets up tracks that have got viewers, closes those without. */
void view_tracks_attend(struct view *view);
/* A picture came, in full this large: is each track to show it? */
void view_tracks_offer(struct view *view, int64_t now_us, int width, int height);
/* Each track that somebody watches is to show the next picture; or only those where a key frame is
 * waited for. */
void view_tracks_demand(struct view *view, int64_t now_us, int width, int height, bool keys_only);
/* Encodes the tracks that are due and not on hold, and gives them out, each at once. Returns
 * whether there was one, and the picture of the best. */
bool view_tracks_give(struct view *view, struct view_shot *shot, int64_t now_us,
                      struct drawn *best);
/* The same for the recording's, which goes last: it keeps nobody waiting. */
bool view_tracks_give_recorder(struct view *view, struct view_shot *shot, struct drawn *out);
/* Is a track due whose hold ends by then? */
bool view_tracks_ready(struct view *view, int64_t now_us);
/* When the next hold in front of a picture ends; INT64_MAX = there is none. */
int64_t view_tracks_deadline(struct view *view);

void view_tracks_read_info(struct view *view, struct view_info *out);
void view_tracks_close(struct view *view);

#endif
