/* A workflow of any content: a graph or errors, never both, and a report in every case. */
#include "fuzz.h"

#include "workflow/graph.h"

#include <stdlib.h>

static size_t count_of(const json_t *report, const char *list)
{
    const json_t *findings = json_object_get(report, list);
    if (!json_is_array(findings))
        abort();
    return json_array_size(findings);
}

static void check_graph(const struct graph *graph)
{
    if (graph->node_count < 0 || graph->node_count > GRAPH_MAX_NODES)
        abort();
    for (int i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (!node->id[0] || node->input < -1 || node->input >= graph->node_count ||
            node->input == i)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_t *report = NULL;
    struct graph *graph = NULL;
    if (!document)
        return 0;
    int rc = graph_parse(&graph, document, &report);
    size_t errors = count_of(report, "errors");
    (void)count_of(report, "warnings");
    if ((rc == OW_OK) != (errors == 0) || (rc == OW_OK) != (graph != NULL))
        abort();
    if (graph)
        check_graph(graph);
    graph_destroy(&graph);
    json_decref(report);
    json_decref(document);
    return 0;
}
