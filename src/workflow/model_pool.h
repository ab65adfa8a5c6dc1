/* Models shared by all nodes that name the same file and decoder: each is loaded once; a file that
 * was replaced meanwhile, or the one beside it, is another one. Its users take turns
 * (model_turns.h). */
#ifndef OW_WORKFLOW_MODEL_POOL_H
#define OW_WORKFLOW_MODEL_POOL_H

#include "workflow/model_turns.h"

#include <stdbool.h>

struct model_pool;
struct pooled_model;

/* `providers`: see struct model_options; copied. */
int model_pool_create(struct model_pool **out, const char *providers);
void model_pool_destroy(struct model_pool **pool); /* after the last model was given back */

/* The model of a file, loaded if it is not yet; may take as long as that, but holds up only those
 * who want the same one. Errors as model_open(). */
int model_pool_take(struct model_pool *pool, const char *path, const char *decoder, int threads,
                    struct pooled_model **out, struct reason *why);
/* The last to give it back closes it. */
void model_pool_give(struct model_pool *pool, struct pooled_model **model);

/* Does anybody use this file? */
bool model_pool_has(struct model_pool *pool, const char *path);

/* Runs it in turn with its other users: see model_turns_take(). */
int pooled_model_run(struct pooled_model *model, struct model_turn *turn, struct reason *why);
/* Of the model; any time. */
const struct model_info *pooled_model_info(const struct pooled_model *model);

#endif
